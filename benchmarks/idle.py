"""CPU use of an idle server.

python -m benchmarks.idle starts app.py, waits until its start-up work is done, and measures its CPU
time without requests, as a share of one core; the table goes into docs/speed.md.
"""

import argparse
import time
from pathlib import Path

import psutil

from benchmarks.tables import machine_and_commit, section_title, table, write_section
from fashion_ddpm.core.config import BACKENDS
from tests.tools.serving import run_app

TITLE = "A server with nobody there"

COLUMNS = ("measured over", "share of one core")


def processor_seconds(process: psutil.Process) -> float:
    """Return the CPU time of a process so far, in seconds."""
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_share(process: psutil.Process, seconds: float) -> float:
    """Measure for some seconds which share of one core a process uses."""
    before, begin = processor_seconds(process), time.monotonic()
    time.sleep(seconds)
    return (processor_seconds(process) - before) / (time.monotonic() - begin)


def settle(process: psutil.Process, seconds: float) -> None:
    """Wait until two measurements in a row differ by less than 0.01: the app converts networks."""
    before, now = 1.0, cpu_share(process, seconds)
    while abs(now - before) > 0.01:
        before, now = now, cpu_share(process, seconds)


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="measurements of the same process")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each measurement")
    parser.add_argument("--backend", default="eager", choices=BACKENDS)
    parser.add_argument("--output", type=Path, default=Path("docs/speed.md"))
    arguments = parser.parse_args()
    with run_app("--backend", arguments.backend) as app:
        process = psutil.Process(app.process.pid)
        settle(process, 10.0)
        shares = [cpu_share(process, arguments.seconds) for _ in range(arguments.runs)]
    rows = [[f"{arguments.seconds:g} s", f"{each:.2%}"] for each in shares]
    text = (
        f"`python -m benchmarks.idle --backend {arguments.backend}`; {machine_and_commit()}.\n\n"
        f"{table(COLUMNS, rows)}"
    )
    write_section(arguments.output, section_title(TITLE, arguments.backend), text)


if __name__ == "__main__":
    main()
