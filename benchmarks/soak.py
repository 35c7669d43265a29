"""Does it hold? Visitors of every temper for half an hour, and what the app was like afterwards.

python -m benchmarks.soak starts app.py as on a Space, each client at an address of its own, and
prints a Markdown table. Every completed image is compared with one drawn here from its seed. It
fails where something is not as promised. Rehearse it with --clients 4 --minutes 1.
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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.tables import machine_and_commit
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.demo.results import IMAGE_SCALE
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.server.limits import ServerLimits
from tests.tools.asking import API, CALL, VALID_DATA, Answer, events, fetch, send
from tests.tools.serving import RunningApp, run_app
from tests.tools.strangeness import INVALID_VALUES

STEPS = 4
NUM_SEEDS = 16
"""Seeds of each class that visitors ask for; as many images are drawn here to compare with."""

MAX_IMAGES = 4
MAX_GROWTH_MB = 50.0
"""Megabytes that the app may grow by after the warm-up, the first fifth of the time."""

POLL_SECONDS = 1.0
"""Seconds between two looks at the app's memory and temporary pictures."""


@dataclass
class Findings:
    """What was seen; all clients add to it."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    max_temporary_mb: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, what: str, seconds: float | None = None) -> None:
        """Count something, and how long it took."""
        with self.lock:
            self.counts[what] += 1
            if seconds is not None:
                self.seconds.append(seconds)


@dataclass(frozen=True)
class Client:
    """One visitor, at an address of its own."""

    address: str
    number: int
    rng: random.Random
    expected: dict[tuple[str, int], np.ndarray]
    findings: Findings

    def post(self, path: str, body: Any) -> Answer:
        """Send something and check the status."""
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
        """Ask for images; return what was asked and the event, "" where it was refused."""
        name, count = self.rng.choice(CLASS_NAMES), self.rng.randint(1, MAX_IMAGES)
        seed = self.rng.randrange(NUM_SEEDS - count + 1)
        data = [name, "cosine", STEPS, "dpm++2m", 1.0, count, seed, "embedded"]
        answer = self.post(CALL, {"data": data})
        return data, json.loads(answer.text)["event_id"] if answer.kind == "page" else ""

    def request_images(self) -> None:
        """Ask, wait, and compare the images with what its seeds give."""
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
        """Return whether pictures are what was asked for."""
        wanted = [self.expected[data[0], data[6] + index] for index in range(data[5])]
        found = [
            np.asarray(Image.open(io.BytesIO(fetch(self.address, each["image"]["path"]))))
            for each in pictures
        ]
        return len(found) == len(wanted) and all(map(np.array_equal, found, wanted))

    def send_invalid(self) -> None:
        """Send what nobody should."""
        index = self.rng.randrange(len(VALID_DATA))
        data = list(VALID_DATA)
        data[index] = self.rng.choice(list(INVALID_VALUES.values())[index])
        bodies: list[Any] = [{"data": data}, {"data": ["x" * 100_000]}, b"{", b"[" * 9000]
        for body in bodies:
            self.post(CALL, body)
        self.post(f"{API}/queue/join", {"data": [], "fn_index": 999, "session_hash": "x"})
        self.findings.add("abusive")

    def disconnect(self) -> None:
        """Leave after the first answer, or before it."""
        _, event = self.start_request()
        if event and self.rng.random() < 0.5:
            next(iter(events(self.address, f"{CALL}/{event}")), None)
        self.findings.add("disconnected")

    def cancel(self) -> None:
        """Stop what it has begun."""
        _, event = self.start_request()
        if event:
            self.post(f"{API}/cancel", {"session_hash": event, "fn_index": 0, "event_id": event})
        self.findings.add("cancelled")

    def run(self, end: float) -> None:
        """Do one thing after the other until the end."""
        kinds = (self.request_images, self.send_invalid, self.disconnect, self.cancel)
        while time.monotonic() < end:
            try:
                self.rng.choices(kinds, (6, 1, 1, 1))[0]()
            except (OSError, http.client.HTTPException) as error:
                self.findings.add("BAD: an answer broke off")
                print(f"broke off: {error!r}", file=sys.stderr)


def is_full(sentence: str) -> bool:
    """Return whether a refusal says that as many wait as may."""
    size = ServerLimits().queue_size
    return sentence == f"Queue is full. Max size is {size} and size is {size}."


def draw_expected() -> dict[tuple[str, int], np.ndarray]:
    """Return what each class and seed must give, enlarged as the app does."""
    pipeline, found = load_pipeline(BUNDLED_CHECKPOINT), {}
    settings = SamplingSettings(num_inference_steps=STEPS)
    for label, name in enumerate(CLASS_NAMES):
        (batch,) = pipeline.generate([label] * NUM_SEEDS, range(NUM_SEEDS), settings)
        for seed, image in enumerate(batch.images.numpy()):
            found[name, seed] = image.repeat(IMAGE_SCALE, 0).repeat(IMAGE_SCALE, 1)
    return found


def record_memory(app: RunningApp, folder: Path, findings: Findings, over: threading.Event) -> None:
    """Note the app's memory and the weight of its temporary pictures, in megabytes."""
    status = Path(f"/proc/{app.process.pid}/status")
    while not over.wait(POLL_SECONDS):
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        findings.memory.append((time.monotonic(), int(line.split()[1]) / 1000))
        sizes = [path.stat().st_size for path in list(folder.rglob("*")) if path.exists()]
        findings.max_temporary_mb = max(findings.max_temporary_mb, sum(sizes) / 1e6)


def memory_growth(memory: list[tuple[float, float]]) -> float:
    """Return how much memory the last fifth of the time took more than the second one."""
    parts = np.array_split(np.array([size for _, size in memory]), 5)
    return float(np.median(parts[-1]) - np.median(parts[1]))


def soak(clients: int, minutes: float, seed: int) -> tuple[Findings, dict[str, Any]]:
    """Run all clients against one app; return what was seen and the app's own figures."""
    findings, expected, over = Findings(), draw_expected(), threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"SPACE_ID": "user/name", "TMPDIR": folder}
        with (
            open(Path(folder) / "log", "wb") as log,
            run_app(environment=environment, stderr=log) as app,
            ThreadPoolExecutor(clients + 1) as threads,
        ):
            watching = threads.submit(record_memory, app, Path(folder), findings, over)
            end = time.monotonic() + 60 * minutes
            visitors = [
                Client(app.address, number, random.Random(f"{seed} {number}"), expected, findings)
                for number in range(clients)
            ]
            try:
                for living in [threads.submit(visitor.run, end) for visitor in visitors]:
                    living.result()
            finally:
                over.set()
            watching.result()
            metrics = json.loads(send(app.address, "GET", "/metricsz").text)
            if send(app.address, "GET", "/readyz").status != 200:
                findings.add("BAD: not ready at the end")
    return findings, metrics


def table_lines(findings: Findings, metrics: dict[str, Any], minutes: float) -> Iterator[str]:
    """Yield the table."""
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
    yield "| what | seen |\n|---|---|"
    yield from (f"| {name} | {value} |" for name, value in rows.items())


def main() -> None:
    """Print the table; fail where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    findings, metrics = soak(arguments.clients, arguments.minutes, arguments.seed)
    print(f"{arguments.clients} clients, {arguments.minutes:g} minutes, seed {arguments.seed}")
    print(f"{machine_and_commit()}\n")
    print("\n".join(table_lines(findings, metrics, arguments.minutes)))
    broken = [name for name in findings.counts if name.startswith("BAD")]
    if memory_growth(findings.memory) > MAX_GROWTH_MB:
        broken.append(f"memory grew by more than {MAX_GROWTH_MB:g} MB")
    if findings.max_temporary_mb > ServerLimits().max_temporary / 1e6 + MAX_GROWTH_MB:
        broken.append("temporary pictures were not bounded")
    if broken:
        sys.exit("; ".join(broken))


if __name__ == "__main__":
    main()
