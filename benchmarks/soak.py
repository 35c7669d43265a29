"""Soak test: normal, invalid, disconnecting and cancelling clients for half an hour.

python -m benchmarks.soak starts app.py as on a Space, each client with its own IP address, and
prints a Markdown table. Every completed image is compared with one drawn here from its seed. It
exits with an error if an answer, memory or disk use is wrong. Try it with --clients 4 --minutes 1.
"""

import argparse
import http.client
import io
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks.tables import machine_and_commit, table
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.demo.results import IMAGE_SCALE
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.server.limits import ServerLimits
from tests.tools.asking import API, CALL, VALID_DATA, Answer, events, fetch, send
from tests.tools.serving import RunningApp, run_app
from tests.tools.strangeness import INVALID_VALUES

SCHEDULE = "cosine"
STEPS = 4
NUM_SEEDS = 16
"""Seeds per class that clients request; their images are drawn here to compare with."""

MAX_IMAGES = 4
MAX_GROWTH_MB = 50.0
"""Megabytes by which the app may grow after the warm-up, the first fifth of the time."""

POLL_SECONDS = 1.0
"""Seconds between measurements of the app's memory and temporary files."""


@dataclass
class Findings:
    """Observations of all clients."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    max_temporary_mb: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, event: str, seconds: float | None = None) -> None:
        """Count an event, and record how long it took."""
        with self.lock:
            self.counts[event] += 1
            if seconds is not None:
                self.seconds.append(seconds)


@dataclass(frozen=True)
class Client:
    """One client with its own IP address."""

    address: str
    number: int
    rng: random.Random
    expected: dict[tuple[str, int], np.ndarray]
    findings: Findings

    def post(self, path: str, body: Any) -> Answer:
        """Send a request and check the status."""
        answer = send(
            self.address, "POST", path, body, {"X-Forwarded-For": f"93.184.0.{self.number}"}
        )
        if answer.status == 503 and is_full(answer.text):
            self.findings.add("refused: the queue is full")
        elif answer.status == 429:
            self.findings.add("refused: too much of one visitor")
        elif answer.status >= 500 or answer.kind in ("silent", "broken"):
            self.findings.add("BAD: an unexpected answer")
            print(f"unexpected: {path} {answer}"[:500], file=sys.stderr)
        return answer

    def start_request(self) -> tuple[list[Any], str]:
        """Request images; return the values and the event, "" if it was refused."""
        name, count = self.rng.choice(CLASS_NAMES), self.rng.randint(1, MAX_IMAGES)
        seed = self.rng.randrange(NUM_SEEDS - count + 1)
        data = [name, SCHEDULE, STEPS, "dpm++2m", 1.0, count, seed, "embedded"]
        answer = self.post(CALL, {"data": data})
        return data, json.loads(answer.text)["event_id"] if answer.kind == "page" else ""

    def request_images(self) -> None:
        """Request images, wait, and compare them with those of their seeds."""
        begin = time.monotonic()
        data, event = self.start_request()
        for name, content in events(self.address, f"{CALL}/{event}") if event else ():
            if name == "complete":
                self.findings.add("completed", time.monotonic() - begin)
                self.findings.add(
                    "completed, with the images of its seeds"
                    if self.has_expected_images(data, content[1])
                    else "BAD: somebody else's images"
                )
            elif name == "error":
                self.findings.add("BAD: a sound request failed")
                print(f"failed: {content}"[:500], file=sys.stderr)

    def has_expected_images(self, data: list[Any], pictures: list[dict[str, Any]]) -> bool:
        """Return whether the pictures are the requested ones."""
        expected = [self.expected[data[0], data[6] + index] for index in range(data[5])]
        found = [
            np.asarray(Image.open(io.BytesIO(fetch(self.address, each["image"]["path"]))))
            for each in pictures
        ]
        return len(found) == len(expected) and all(map(np.array_equal, found, expected))

    def send_invalid(self) -> None:
        """Send invalid values, bodies and events."""
        index = self.rng.randrange(len(VALID_DATA))
        data = list(VALID_DATA)
        data[index] = self.rng.choice(list(INVALID_VALUES.values())[index])
        bodies: list[Any] = [{"data": data}, {"data": ["x" * 100_000]}, b"{", b"[" * 9000]
        for body in bodies:
            self.post(CALL, body)
        self.post(f"{API}/queue/join", {"data": [], "fn_index": 999, "session_hash": "x"})
        self.findings.add("abusive")

    def disconnect(self) -> None:
        """Disconnect after the first answer, or before it."""
        _, event = self.start_request()
        if event and self.rng.random() < 0.5:
            next(iter(events(self.address, f"{CALL}/{event}")), None)
        self.findings.add("disconnected")

    def cancel(self) -> None:
        """Cancel a request that has begun."""
        _, event = self.start_request()
        if event:
            self.post(f"{API}/cancel", {"session_hash": event, "fn_index": 0, "event_id": event})
        self.findings.add("cancelled")

    def run(self, end: float) -> None:
        """Send random requests until the end."""
        kinds = (self.request_images, self.send_invalid, self.disconnect, self.cancel)
        while time.monotonic() < end:
            try:
                self.rng.choices(kinds, (6, 1, 1, 1))[0]()
            except (OSError, http.client.HTTPException) as error:
                self.findings.add("BAD: an answer broke off")
                print(f"broke off: {error!r}", file=sys.stderr)


def is_full(sentence: str) -> bool:
    """Return whether a refusal says that the queue is full."""
    size = ServerLimits().queue_size
    return sentence == f"Queue is full. Max size is {size} and size is {size}."


def draw_expected() -> dict[tuple[str, int], np.ndarray]:
    """Return the image of each class and seed, enlarged as by the app."""
    pipeline, found = load_pipeline(BUNDLED_CHECKPOINT), {}
    settings = SamplingSettings(SCHEDULE, num_inference_steps=STEPS)
    for label, name in enumerate(CLASS_NAMES):
        (batch,) = pipeline.generate([label] * NUM_SEEDS, range(NUM_SEEDS), settings)
        for seed, image in enumerate(batch.images.numpy()):
            found[name, seed] = image.repeat(IMAGE_SCALE, 0).repeat(IMAGE_SCALE, 1)
    return found


def record_memory(app: RunningApp, folder: Path, findings: Findings, stop: threading.Event) -> None:
    """Record the app's memory and the size of its temporary files, in megabytes."""
    process = psutil.Process(app.process.pid)
    while not stop.wait(POLL_SECONDS):
        findings.memory.append((time.monotonic(), process.memory_info().rss / 1e6))
        sizes = [path.stat().st_size for path in list(folder.rglob("*")) if path.exists()]
        findings.max_temporary_mb = max(findings.max_temporary_mb, sum(sizes) / 1e6)


def memory_growth(memory: list[tuple[float, float]]) -> float:
    """Return by how much memory grew from the second to the last fifth of the time."""
    parts = np.array_split(np.array([size for _, size in memory]), 5)
    return float(np.median(parts[-1]) - np.median(parts[1]))


def soak(clients: int, minutes: float, seed: int) -> tuple[Findings, dict[str, Any]]:
    """Run all clients against one app; return the findings and the app's metrics."""
    findings, expected, stop = Findings(), draw_expected(), threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"SPACE_ID": "user/name", "TMPDIR": folder}
        with (
            open(Path(folder) / "log", "wb") as log,
            run_app(environment=environment, stderr=log) as app,
            ThreadPoolExecutor(clients + 1) as threads,
        ):
            recording = threads.submit(record_memory, app, Path(folder), findings, stop)
            end = time.monotonic() + 60 * minutes
            visitors = [
                Client(app.address, number, random.Random(f"{seed} {number}"), expected, findings)
                for number in range(clients)
            ]
            try:
                for running in [threads.submit(visitor.run, end) for visitor in visitors]:
                    running.result()
            finally:
                stop.set()
            recording.result()
            metrics = json.loads(send(app.address, "GET", "/metricsz").text)
            if send(app.address, "GET", "/readyz").status != 200:
                findings.add("BAD: not ready at the end")
    return findings, metrics


def results_table(findings: Findings, metrics: dict[str, Any], minutes: float) -> str:
    """Return the Markdown table."""
    parts = statistics.quantiles(findings.seconds, n=20, method="inclusive")
    rows = {
        **dict(sorted(findings.counts.items())),
        "completed a minute": f"{findings.counts['completed'] / minutes:.1f}",
        "seconds to the images, p50 / p95": f"{parts[9]:.2f} / {parts[18]:.2f}",
        "memory at the end, MB": f"{findings.memory[-1][1]:.0f}",
        "memory growth after the warm-up, MB": f"{memory_growth(findings.memory):.1f}",
        "temporary pictures at most, MB": f"{findings.max_temporary_mb:.1f}",
        **{f"the app says: {name}": value for name, value in metrics.items()},
    }
    return table(("what", "seen"), rows.items())


def main() -> None:
    """Print the table; exit with an error if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    findings, metrics = soak(arguments.clients, arguments.minutes, arguments.seed)
    print(f"{arguments.clients} clients, {arguments.minutes:g} minutes, seed {arguments.seed}")
    print(f"{machine_and_commit()}\n")
    print(results_table(findings, metrics, arguments.minutes))
    broken = [name for name in findings.counts if name.startswith("BAD")]
    if memory_growth(findings.memory) > MAX_GROWTH_MB:
        broken.append(f"memory grew by more than {MAX_GROWTH_MB:g} MB")
    if findings.max_temporary_mb > ServerLimits().max_temporary / 1e6 + MAX_GROWTH_MB:
        broken.append("temporary pictures were not bounded")
    if broken:
        sys.exit("; ".join(broken))


if __name__ == "__main__":
    main()
