"""Tests of what a visitor does in an order of their own: fast, twice, back, or after a restart."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.demo.gallery import GALLERY
from fashion_ddpm.publishing.space_trial import find_free_port
from tests.tools.browsing import generate, keep_after_restart, open_page
from tests.tools.hands import Traffic
from tests.tools.serving import run_app

pytestmark = pytest.mark.slow


SELECTED = "#gallery .thumbnail-item.selected"
THUMBNAILS = "#gallery button.thumbnail-item"


def top_class(page: Page) -> str:
    """Return the class with the highest score for the selected image."""
    return page.get_by_test_id("label-output-value").first.inner_text()


def test_what_is_highlighted_is_what_is_scored(page: Page) -> None:
    expect(page.locator(SELECTED)).to_have_count(1)
    with np.load(GALLERY) as bundled:
        first_class = CLASS_NAMES[bundled["label_scores"][0].argmax()]
    assert top_class(page) == f"A {first_class}"
    for index in (1, 8, 3, 9, 4, 5, 2, 7):  # each before the last is answered
        page.locator(THUMBNAILS).nth(index).click()
    first = page.get_by_test_id("label-output-value").first
    expect(first).to_have_text("A sneaker")
    expect(page.locator(THUMBNAILS).nth(7)).to_have_class(re.compile("selected"))
    page.get_by_role("radio", name="bag").check()
    generate(page, Steps="2")
    expect(page.get_by_text("16 network evaluations")).to_be_visible()
    expect(first).to_have_text("A bag")
    expect(page.locator(THUMBNAILS).first).to_have_class(re.compile("selected"))
    expect(page.locator(SELECTED)).to_have_count(1)


def test_pressing_again_draws_with_the_newest_settings(page: Page) -> None:
    generate(page, Steps="100")
    expect(page.get_by_text("/100 …")).to_be_visible()
    page.get_by_role("radio", name="bag").check()
    generate(page, Steps="2")
    expect(page.get_by_text("2 steps · 16 network evaluations")).to_be_visible()
    expect(page.locator("#gallery .caption-label").first).to_have_text("bag, seed 0")


def test_stop_says_where_and_never_shows_an_error(page: Page) -> None:
    for _ in range(3):
        generate(page, Steps="100")
        expect(page.get_by_text("/100 …")).to_be_visible()
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("of 100. Below: your previous images")).to_be_visible()
        assert not page.get_by_text("Error", exact=True).filter(visible=True).count()
        expect(page.locator("#gallery img")).to_have_count(10)


def test_a_picture_that_is_none_of_ours_is_told(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    page = browser.new_page()  # refusals are logged as errors in its console
    page.goto(address)
    page.get_by_role("button", name="Share").click()
    messages = {"settings": "^The picture holds no settings", "text": ": The file is not"}
    for name, message in messages.items():
        path = tmp_path / f"{name}.png"
        if name == "settings":
            Image.new("L", (28, 28)).save(path)
        else:
            path.write_text("no picture")
        page.locator("#restore input[type=file]").set_input_files(path)
        expect(page.get_by_text(re.compile(message)).first).to_be_visible()
    page.close()


def test_a_tab_can_be_linked_reloaded_and_left_by_back(
    browser: Browser, address: str, page: Page
) -> None:
    chosen = page.locator("[role=tab][aria-selected=true]")
    for tab, word in (("Why blurry?", "tab=why"), ("Trust", "tab=trust")):
        page.get_by_role("tab", name=tab).click()
        expect(page).to_have_url(re.compile(word))
    page.go_back()
    expect(chosen).to_have_text("Why blurry?")
    with open_page(browser, page.url) as linked:
        expect(linked.locator("[role=tab][aria-selected=true]")).to_have_text("Why blurry?")
        expect(linked).to_have_url(re.compile("tab=why"))
    page.go_back()
    expect(chosen).to_have_text("Create")
    for steps in (1, 1, -1, -1, 1):  # each before the last tab has opened
        page.evaluate(GO_IN_HISTORY_JS, steps)
    expect(chosen).to_have_text("Why blurry?")
    page.go_forward()
    expect(chosen).to_have_text("Trust")


GO_IN_HISTORY_JS = """(steps) => new Promise((resolve) => {
  addEventListener("popstate", resolve, {once: true});
  history.go(steps);
})"""


def test_back_keeps_the_settings_that_were_drawn_last(page: Page) -> None:
    generate(page, Steps="3")
    expect(page).to_have_url(re.compile("steps=3"))
    page.get_by_role("tab", name="Compare").click()
    expect(page).to_have_url(re.compile("tab=compare"))
    page.get_by_role("tab", name="Create").click()
    expect(page).not_to_have_url(re.compile("tab="))
    generate(page, Steps="2")
    expect(page).to_have_url(re.compile("steps=2"))
    page.go_back()
    expect(page).to_have_url(re.compile("steps=2.*tab=compare"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"steps=2(?!.*tab)"))


def test_what_was_said_of_one_image_goes_with_it(page: Page) -> None:
    page.get_by_role("tab", name="Trust").click()
    page.get_by_role("button", name="Find the nearest").click()
    expect(page.get_by_text("T-shirt, seed 0: no sign of a copy. The nearest of")).to_be_visible()
    page.get_by_role("tab", name="Create").click()
    page.locator(THUMBNAILS).nth(3).click()
    page.get_by_role("tab", name="Trust").click()
    expect(page.get_by_text("The nearest of")).to_have_count(0)


def test_the_newest_of_two_images_has_the_endings(page: Page) -> None:
    traffic = Traffic()
    traffic.watch(page)
    page.get_by_role("button", name="Branch from this step").click()
    page.locator(THUMBNAILS).nth(3).click()
    expect(page.get_by_test_id("label-output-value").first).to_have_text("A dress")
    traffic.settle(page)
    expect(page.locator("#endings img")).to_have_count(0)
    page.get_by_role("button", name="Branch from this step").click()
    expect(page.locator("#endings img")).to_have_count(10)


def test_a_page_that_outlived_its_server_is_told(browser: Browser) -> None:
    page = browser.new_page()  # missing pictures are logged as errors in its console
    traffic = Traffic()
    traffic.watch(page)
    port = {"GRADIO_SERVER_PORT": str(find_free_port())}
    with run_app(environment=port) as app:
        page.goto(app.address)
        generate(page, Steps="2")
        expect(page.get_by_text("2 steps · 16 network evaluations")).to_be_visible()
        traffic.settle(page)  # gradio reloads a page whose event was cut off
        keep_after_restart(page, app.address)
    toast = page.locator(".toast-body").get_by_text("These images are no longer kept here")
    with run_app(environment=port):
        page.locator(THUMBNAILS).nth(2).click()
        expect(toast).to_have_count(1)
        for name in ("Download as GIF", "Branch from this step"):
            page.locator(".toast-close").click()
            expect(toast).to_have_count(0)
            page.get_by_role("button", name=name).click()
            expect(toast).to_have_count(1)
        page.get_by_role("tab", name="Trust").click()
        page.get_by_role("button", name="Find the nearest").click()
        expect(toast).to_have_count(2)
        page.get_by_role("tab", name="Create").click()
        generate(page)
        expect(page.get_by_text("2 steps · 16 network evaluations")).to_be_visible()
        page.locator(THUMBNAILS).nth(2).click()
        expect(page.locator(THUMBNAILS).nth(2)).to_have_class(re.compile("selected"))
    page.close()


def test_what_is_in_view_at_first_can_be_shared_too(page: Page) -> None:
    page.get_by_role("button", name="Share").click()
    expect(page.locator("#link textarea, #link input")).to_have_value(re.compile("class=all"))
    expect(page.get_by_text("client.predict(class_name='all'")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all images").click()
    assert zipfile.ZipFile(download.value.path()).namelist()
