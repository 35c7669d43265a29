"""Waiting time for a server that has just been started.

python -m benchmarks.startup starts app.py several times, each time as a new process, and measures
the time to the first page and to the first image over HTTP; the medians go into a table in
docs/speed.md. Run it on an idle machine.
"""

import argparse
import statistics
import time
from pathlib import Path

from benchmarks.serving import send_request
from benchmarks.tables import machine_and_commit, section_title, table, write_section
from fashion_ddpm.core.config import BACKENDS
from fashion_ddpm.demo.engine import PRESETS
from tests.tools.serving import serve_app

TITLE = "From python app.py to the first image"

COLUMNS = ("seconds after the start", "median", "all")


def time_start(images: int, steps: int, flags: list[str]) -> tuple[float, float, float]:
    """Return the seconds from the start to the first page, preview and finished images."""
    begin = time.monotonic()
    with serve_app(*flags) as address:
        page = time.monotonic() - begin
        answer = send_request(address, "bag", steps, images, seed=0)
        if not answer.images:
            raise RuntimeError("app.py gave no image")
        return page, page + answer.preview, page + answer.end


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--steps", type=int, default=PRESETS["Balanced"].num_inference_steps)
    parser.add_argument("--backend", default="eager", choices=BACKENDS)
    parser.add_argument("--output", type=Path, default=Path("docs/speed.md"))
    arguments = parser.parse_args()
    flags = ["--backend", arguments.backend]
    runs = [time_start(arguments.images, arguments.steps, flags) for _ in range(arguments.runs)]
    names = ("first page", "first preview", f"first {arguments.images} finished")
    rows = [
        [name, f"{statistics.median(times):.1f}", ", ".join(f"{each:.1f}" for each in times)]
        for name, times in zip(names, zip(*runs, strict=True), strict=True)
    ]
    text = (
        f"`python -m benchmarks.startup --backend {arguments.backend}`, {arguments.runs} cold "
        f"starts, {arguments.steps} steps; {machine_and_commit()}. A page is looked for five "
        f"times a second.\n\n{table(COLUMNS, rows)}"
    )
    write_section(arguments.output, section_title(TITLE, arguments.backend), text)


if __name__ == "__main__":
    main()
