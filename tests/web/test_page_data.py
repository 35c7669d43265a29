"""Tests of the static site's page in a browser with other data: ready-made images, many classes."""

import base64
import gzip
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.tools import TIMEOUT_S
from tests.tools.static_host import Handler, Host, host_folder
from tests.tools.static_page import (
    content,
    expect_finished,
    fill,
    generate,
    images_of,
    open_site,
)

pytestmark = pytest.mark.slow

SITE_FILE, GALLERY_FILE = "data/site.json.gz", "data/gallery.json.gz"
SCORER = "models/clip.onnx.gz"
MISTAKE = {
    "class_name": "bag",
    "num_images": 4,
    "sampler": "ddim",
    "num_inference_steps": 7,
    "seed": 3,
    "images": {
        schedule: base64.b64encode(bytes([shade]) * 4 * 28 * 28).decode()
        for schedule, shade in (("report", 100), ("cosine", 200))
    },
}


RECORD_SCORES_JS = """() => {
  globalThis.shown = []; // every score of the comparison that was shown
  new MutationObserver((changes) => {
    for (const {target} of changes) {
      if (target.matches(".score-text") && target.textContent) shown.push(target.textContent);
    }
  }).observe(document.querySelector("#mistake"), {subtree: true, childList: true});
}"""


def read_site(host: Host) -> Any:
    """Return the content of site.json."""
    return json.loads(gzip.decompress((host.folder / SITE_FILE).read_bytes()))


def change_site(host: Host, **entries: Any) -> None:
    """Make the page read other entries of site.json, without what the worker would load."""
    changed = json.dumps(read_site(host) | entries).encode()
    host.faults[SITE_FILE] = lambda handler, _: handler.answer(changed)
    host.faults["manifest.json"] = lambda *_: None


def test_the_mistake_is_there_before_anything_is_drawn(browser: Browser, host: Host) -> None:
    change_site(host, mistake=MISTAKE)
    with open_site(browser, host.address) as page:
        expect(page.locator("#mistake-status")).to_have_text(
            re.compile(r"Both: bag, ddim in 7.steps, seeds 3–6\. Only the noise schedule is")
        )
        for schedule, shade in (("report", 100), ("cosine", 200)):
            canvas = page.locator(f"#mistake-{schedule} canvas")
            expect(canvas).to_be_visible()
            expect(canvas).to_have_accessible_name(
                f"4 images of bag, seeds 3–6, with the schedule {schedule}"
            )
            script = "(canvas) => canvas.getContext('2d').getImageData(5, 5, 1, 1).data[0]"
            assert canvas.evaluate(script) == shade


DRAW_AND_STOP_JS = """() => {
  const compare = document.querySelector("#compare");
  compare.click();
  compare.click();
}"""
"""JavaScript: begins a comparison and stops it before its first step."""


def show_mistake(page: Page) -> list[tuple[str, str]]:
    """Return the picture and the text of each schedule of the student's mistake."""
    figures = page.locator("#mistake figure").all()
    return [(content(each.locator("canvas")), each.inner_text()) for each in figures]


def test_the_comparison_draws_both_from_the_same_seeds_and_scores_them(page: Page) -> None:
    page.get_by_role("radio", name="dress").check()
    fill(page, Seed="5")
    page.get_by_role("button", name="Draw both from the same seeds").click()
    for schedule in ("report", "cosine"):
        figure = page.locator(f"#mistake-{schedule}")
        expect(figure).to_have_attribute("data-state", "finished")
        expect(figure.get_by_role("img")).to_have_accessible_name(
            f"4 images of dress, seeds 5–8, with the schedule {schedule}"
        )
        expect(figure).to_contain_text(re.compile(r"CLIP's label score: \d+\s%; .*: \d+\s%\."))
    expect(page.locator("#mistake-status")).to_contain_text("Only the noise schedule is different")
    before = show_mistake(page)
    assert before[0] != before[1]
    expect(page.locator("#status")).to_contain_text("Ready-made samples")
    page.evaluate(DRAW_AND_STOP_JS)
    expect(page.locator("#mistake-status")).to_have_text("Stopped. Below: the images before.")
    assert show_mistake(page) == before


def test_scores_that_come_late_are_not_shown_with_other_images(
    browser: Browser, host: Host
) -> None:
    released = threading.Event()

    def answer_late(handler: Handler, content: bytes) -> None:
        released.wait(TIMEOUT_S)
        handler.answer(content)

    host.faults[SCORER] = answer_late
    with open_site(browser, host.address) as page:
        page.evaluate(RECORD_SCORES_JS)
        compare, status = page.locator("#compare"), page.locator("#mistake-status")
        page.get_by_role("radio", name="dress").check()
        compare.click()
        expect(status).to_contain_text("Both: dress")
        page.get_by_role("radio", name="bag").check()
        compare.click()
        expect(status).to_contain_text("Generating")
        released.set()
        expect(status).to_contain_text("Both: bag")
        scores = page.locator("#mistake .score-text")
        for score in (scores.first, scores.last):
            expect(score).to_contain_text("CLIP's label score")
        shown = page.evaluate("shown")
        assert shown == [score.inner_text() for score in (scores.first, scores.last)]


def test_with_many_classes_a_menu_replaces_the_buttons(browser: Browser, host: Host) -> None:
    kind = {**read_site(host)["kind"], "class_names": [f"class {label}" for label in range(20)]}
    change_site(host, kind=kind, class_pictures=None, scorer=None)
    host.faults[GALLERY_FILE] = lambda handler, _: handler.answer(b"null")
    with open_site(browser, host.address) as page:
        page.get_by_label("Class", exact=True).select_option("class 19")
        page.get_by_label("Class", exact=True).select_option("one of each")
        expect(page.locator("#status")).to_have_text("Press Generate.")
        for part in ("#preview", "#gallery", "#trajectory-section", "#scores", "#share"):
            expect(page.locator(part)).to_be_hidden()


def test_without_ready_made_images_the_first_run_shows_all_parts(
    browser: Browser, host: Host
) -> None:
    host.faults[GALLERY_FILE] = lambda handler, _: handler.answer(b"null")
    with open_site(browser, host.address) as page:
        generate(page, Steps="2", **{"Number of images": "2"})
        expect_finished(page, 2, 2)
        expect(page.locator("#scores")).to_have_attribute("data-state", "known")
        expect(page.locator("#trajectory .player")).to_be_visible()


def test_pictures_in_colour_of_another_size_are_drawn(browser: Browser, shapes_site: Path) -> None:
    with host_folder(shapes_site) as host, open_site(browser, host.address) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("Images from noise")
        expect(page.locator("#scores")).to_be_hidden()
        generate(page, Steps="3", **{"Number of images": "3"})
        expect_finished(page, 3, 3)
        size = images_of(page).first.locator("canvas").evaluate("each => [each.width, each.height]")
        assert size == [32, 32]
        grey = (
            images_of(page)
            .first.locator("canvas")
            .evaluate("""(canvas) => {
          const {data} = canvas.getContext("2d").getImageData(0, 0, 32, 32);
          return data.every((value, place) => place % 4 > 2 || value === data[place - place % 4]);
        }""")
        )
        assert not grey
        expect(page.locator("#trajectory .player")).to_be_visible()
        expect(page.locator("#trajectory .chart")).to_be_hidden()
