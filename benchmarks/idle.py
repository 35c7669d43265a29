"""How busy is a server while nobody is there?

python -m benchmarks.idle starts app.py, waits until it has settled, and measures the processor time
that it takes while nothing is asked of it, as a share of one core; the table goes into
docs/speed.md.
"""

import argparse
import time
from pathlib import Path

import psutil

from benchmarks.tables import machine_and_commit, section_title, table, write_section
from fashion_ddpm.runtime.backends import BACKENDS
from tests.tools.serving import run_app

TITLE = "A server with nobody there"

COLUMNS = ("measured over", "share of one core")


def processor_seconds(process: psutil.Process) -> float:
    """Return the processor time that a process has taken so far, in seconds."""
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_share(process: psutil.Process, seconds: float) -> float:
    """Return the share of one core that a process takes from now on, for so many seconds."""
    taken, begin = processor_seconds(process), time.monotonic()
    time.sleep(seconds)
    return (processor_seconds(process) - taken) / (time.monotonic() - begin)


def settle(process: psutil.Process, seconds: float) -> None:
    """Wait until two looks in a row find shares that differ by less than a hundredth of a core.

    Args:
        process: the app, which looks for faster forms of its networks after it has started.
        seconds: of each look.
    """
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
