"""Throughput and latency with and without dynamic batching: closed-loop clients over HTTP.

python -m benchmarks.serving starts app.py twice, with requests that share the network and with
requests that take turns, and prints a Markdown table. Run it on an idle machine; the clients' own
work is measured too.
"""

import argparse
import itertools
import json
import statistics
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.tables import machine_and_commit, row, table
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.server.limits import ServerLimits
from tests.tools.serving import serve_app

ENDPOINT = "gradio_api/call/generate"

COLUMNS = (
    *("visitors at once", "clients", "images", "images/s", "refused"),
    *("first preview p50", "p95", "end p50", "p95"),
)


@dataclass(frozen=True)
class Answer:
    """The result of one request.

    Attributes:
        images: number of finished images; 0 if the request was refused.
        preview: seconds to the first preview.
        end: seconds to the finished images.
        finished_at: time.monotonic() at the end.
    """

    images: int
    preview: float
    end: float
    finished_at: float


def send_request(address: str, class_name: str, steps: int, images: int, seed: int) -> Answer:
    """Send one request and read its events."""
    values = [class_name, "cosine", steps, "dpm++2m", 1.0, images, seed, "embedded"]
    request = urllib.request.Request(
        f"{address}/{ENDPOINT}",
        data=json.dumps({"data": values}).encode(),
        headers={"Content-Type": "application/json"},
    )
    begin, preview, kind = time.monotonic(), None, "error"
    try:
        with urllib.request.urlopen(request, timeout=600) as response:
            event = json.load(response)["event_id"]
        with urllib.request.urlopen(f"{address}/{ENDPOINT}/{event}", timeout=600) as events:
            for line in events:
                if line.startswith(b"event: "):
                    kind = line.decode().split()[1]
                    if kind == "generating" and preview is None:
                        preview = time.monotonic() - begin
    except OSError:
        kind = "error"
    now = time.monotonic()
    finished = images if kind == "complete" else 0
    return Answer(finished, now - begin if preview is None else preview, now - begin, now)


def run_loop(address: str, clients: int, images: int, steps: int, seconds: float) -> list[Answer]:
    """Run a closed loop; return the answers that came before its end."""
    barrier, ends = threading.Barrier(clients), [0.0]

    def client(number: int) -> list[Answer]:
        barrier.wait()
        end, answers = time.monotonic() + seconds, []
        ends[0] = max(ends[0], end)
        for seed in itertools.count(1000 * number):
            name = CLASS_NAMES[number % len(CLASS_NAMES)]
            answers.append(send_request(address, name, steps, images, seed))
            if time.monotonic() >= end:
                return answers
        raise AssertionError

    with ThreadPoolExecutor(clients) as threads:
        answers = [answer for found in threads.map(client, range(clients)) for answer in found]
    return [answer for answer in answers if answer.finished_at <= ends[0]]


def table_cells(answers: list[Answer], seconds: float) -> list[str]:
    """Return images per second, refusals, and median and 95th percentile of both times."""
    complete = [answer for answer in answers if answer.images]
    cells = [f"{sum(answer.images for answer in complete) / seconds:.2f}"]
    cells.append(str(len(answers) - len(complete)))
    for times in ([answer.preview for answer in complete], [answer.end for answer in complete]):
        parts = statistics.quantiles(times, n=20, method="inclusive") if times[1:] else times * 19
        cells += [f"{parts[index]:.2f} s" if parts else "" for index in (9, 18)]
    return cells


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 4, 16, 32])
    parser.add_argument("--images", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each row")
    parser.add_argument(
        "--max-concurrent-requests", type=int, default=ServerLimits().max_concurrent_requests
    )
    arguments = parser.parse_args()
    print(
        f"{machine_and_commit()}; {arguments.steps} steps; {arguments.seconds:.0f} s a row\n\n"
        f"{table(COLUMNS)}"
    )
    for visitors in (arguments.max_concurrent_requests, 1):
        with serve_app("--max-concurrent-requests", str(visitors)) as address:
            send_request(address, "bag", arguments.steps, 1, 0)  # the first one warms up
            for images, clients in itertools.product(arguments.images, arguments.clients):
                answers = run_loop(address, clients, images, arguments.steps, arguments.seconds)
                cells = table_cells(answers, arguments.seconds)
                print(row([visitors, clients, images, *cells]), flush=True)


if __name__ == "__main__":
    main()
