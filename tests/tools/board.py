"""Screenshot of a run in TensorBoard: python -m tests.tools.board RUN PICTURE."""

import argparse
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page

from fashion_ddpm.publishing.space_trial import find_free_port, wait_for_page
from tests.tools.browsing import open_browser
from tests.tools.screenshots import DESKTOP, TIMEOUT_MS, save

START_TIMEOUT_SECONDS = 60


def open_board(page: Page, address: str) -> None:
    """Open TensorBoard's first page and wait for its plots."""
    page.goto(f"{address}/?darkMode=false#timeseries")
    page.get_by_text("validation_loss", exact=True).first.wait_for(timeout=TIMEOUT_MS)
    page.wait_for_timeout(5000)  # lines are drawn long after their titles


def main() -> None:
    """Serve the run's log and save a screenshot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    port = find_free_port()
    command = [sys.executable, "-m", "tensorboard.main", "--port", str(port)]
    command += ["--logdir", str(arguments.run / "trackers")]
    board = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        if not wait_for_page(port, board, START_TIMEOUT_SECONDS):
            raise SystemExit("board: TensorBoard does not answer.")
        with open_browser() as browser:
            page = browser.new_page(viewport=DESKTOP)
            open_board(page, f"http://127.0.0.1:{port}")
            save(page, arguments.picture)
    finally:
        board.terminate()
        board.wait()


if __name__ == "__main__":
    main()
