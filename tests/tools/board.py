"""A picture of a run in TensorBoard: python -m tests.tools.board RUN docs/screenshots/board.png."""

import argparse
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page

from fashion_ddpm.publishing.space_trial import answers, free_port
from tests.tools.browsing import opened_browser
from tests.tools.screenshots import DESKTOP, PATIENCE, save

SECONDS = 60
"""Until TensorBoard must answer."""


def look_at(page: Page, address: str) -> None:
    """Open TensorBoard's first page and wait for its plots."""
    page.goto(f"{address}/?darkMode=false#timeseries")
    page.get_by_text("validation_loss", exact=True).first.wait_for(timeout=PATIENCE)
    page.wait_for_timeout(5000)  # lines are drawn long after their titles


def main() -> None:
    """Serve the run's log to a browser and save what it shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    port = free_port()
    command = [sys.executable, "-m", "tensorboard.main", "--port", str(port)]
    command += ["--logdir", str(arguments.run / "trackers")]
    board = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        if not answers(port, board, SECONDS):
            raise SystemExit("board: TensorBoard does not answer.")
        with opened_browser() as browser:
            page = browser.new_page(viewport=DESKTOP)
            look_at(page, f"http://127.0.0.1:{port}")
            save(page, arguments.picture)
    finally:
        board.terminate()
        board.wait()


if __name__ == "__main__":
    main()
