"""Waiting times in a real browser: first paint, first preview, eight images.

python -m benchmarks.page serves the app, visits it several times with headless Chromium, and
prints the medians. The browser and the server share the machine, as they do not on a Space.
"""

import argparse
import time
from statistics import median

from playwright.sync_api import Browser, expect

from benchmarks.tables import table
from fashion_ddpm.demo.engine import PRESETS
from tests.tools.browsing import generate, layout_shift, open_browser, open_page
from tests.tools.serving import serve_app

PRESET = "Balanced"
FIRST_PAINT_JS = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
TRANSFERRED_MB_JS = """["resource", "navigation"]
  .flatMap((kind) => performance.getEntriesByType(kind))
  .reduce((sum, entry) => sum + entry.transferSize, 0) / 1e6"""
NUM_IMAGES_JS = "[...document.querySelectorAll('#gallery img')].filter(one => one.complete).length"


def visit(browser: Browser, address: str) -> dict[str, float]:
    """Return the waiting times of one visit, in seconds."""
    begin, steps = time.monotonic(), PRESETS[PRESET].num_inference_steps
    with open_page(browser, address) as page:
        page.wait_for_function(f"{NUM_IMAGES_JS} === 10")
        shown = time.monotonic() - begin
        paint, shift = float(page.evaluate(FIRST_PAINT_JS)), layout_shift(page)
        weight = float(page.evaluate(TRANSFERRED_MB_JS))
        page.get_by_role("button", name=f"{PRESET} · {steps}").click()
        expect(page.get_by_text(f"8 images × {steps} network")).to_be_visible()
        begin = time.monotonic()
        generate(page)
        page.get_by_text(f"/{steps} …").wait_for()
        preview = time.monotonic() - begin
        page.get_by_text("8 images in").wait_for()
        done = time.monotonic() - begin
    return {
        "opening: first contentful paint": paint,
        "opening: the ten first pictures": shown,
        "opening: layout shift (no seconds; below 0.1 is good)": shift,
        "opening: transferred (MB)": weight,
        "Generate: first preview": preview,
        f"Generate: 8 images, {PRESET}, scored": done,
    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=7)
    arguments = parser.parse_args()
    with serve_app() as address, open_browser() as browser:
        visits = [visit(browser, address) for _ in range(arguments.visits)]
    rows = [(name, f"{median(each[name] for each in visits):.2f}") for name in visits[0]]
    print(table((f"what, median of {len(visits)}", "seconds"), rows))


if __name__ == "__main__":
    main()
