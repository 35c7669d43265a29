"""Tests of Share in a browser: links, dropped pictures, the zip file, links to try."""

import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from fashion_ddpm.core.images import save_png
from fashion_ddpm.core.requests import GenerateRequest
from tests.tools.browsing import generate, open_page, save_picture
from tests.tools.serving import serve_app

pytestmark = pytest.mark.slow


def test_a_link_restores_the_page_after_a_restart_of_the_server(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    with open_page(browser, address) as page:
        page.get_by_role("radio", name="bag").check()
        generate(page, Steps="5")
        expect(page.get_by_text("5 steps · 40 network evaluations")).to_be_visible()
        page.get_by_role("button", name="Share").click()
        field = page.locator("#link textarea, #link input")
        expect(field).to_have_value(re.compile("class=bag"))
        link, picture = field.input_value(), save_picture(page, 2, tmp_path / "before.png")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download all images").click()
        assert zipfile.ZipFile(download.value.path()).namelist()[-2:] == [
            "metadata.jsonl",
            "scores.csv",
        ]
        expect(page.get_by_text("client.predict(class_name='bag', num_images=8")).to_be_visible()
    assert link.startswith(address)
    with serve_app() as after, open_page(browser, link.replace(address, after)) as page:
        expect(page.get_by_text("5 steps · 40 network evaluations")).to_be_visible()
        expect(page.get_by_role("radio", name="bag")).to_be_checked()
        assert save_picture(page, 2, tmp_path / "after.png").read_bytes() == picture.read_bytes()
        page.get_by_role("button", name="Share").click()
        page.locator("#restore input[type=file]").set_input_files(picture)
        seed = page.get_by_label("Seed", exact=True)
        expect(seed).to_have_value("2")


def test_a_link_with_a_mistake_draws_nothing_and_stays_in_the_address(
    browser: Browser, address: str
) -> None:
    link = f"{address}/?class=%3Cscript%3E&steps=1"
    with open_page(browser, link) as page:
        expect(page.get_by_text("The link could not be read. Class is")).to_be_visible()
        expect(page.locator("#gallery img")).to_have_count(10)
        # The page's own first events come before those of this click.
        page.get_by_role("button", name="Turbo · 4").click()
        expect(page.get_by_text("8 images × 4 network evaluations")).to_be_visible()
        expect(page.get_by_text("Ready-made samples")).to_be_visible()
        assert page.url == link


def test_the_guidance_interval_of_a_dropped_picture_is_shown_drawn_and_linked(
    page: Page, tmp_path: Path
) -> None:
    request = GenerateRequest("bag", 1, "cosine", "ddim", 10, 4.567, 0.3, 0.7, seed=11)
    save_png(Image.new("L", (28, 28)), tmp_path / "one.png", request.as_settings())
    page.get_by_role("button", name="Share").click()
    page.locator("#restore input[type=file]").set_input_files(tmp_path / "one.png")
    expect(page.get_by_text("Guidance acts from 0.3 to 0.7")).to_be_visible()
    for label, value in (("from", "0.3"), ("to", "0.7")):
        expect(page.get_by_label(f"Guidance {label}", exact=True)).to_have_value(value)
    generate(page)
    expect(page.get_by_text("1 image in")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("10 steps · 14 network evaluations")).to_be_visible()
    expect(page).to_have_url(re.compile("guidance_scale=4.567&guidance_low=0.3&guidance_high=0.7&"))


def test_a_shared_link_opens_on_its_images_on_a_phone(browser: Browser, address: str) -> None:
    link = f"{address}/?class=bag&steps=2"
    with open_page(browser, link, viewport={"width": 360, "height": 740}) as page:
        expect(page.get_by_text("2 steps · 16 network evaluations")).to_be_in_viewport()
        expect(page.locator("#gallery .caption-label").first).to_have_text("bag, seed 0")
        expect(page.locator("#gallery img").first).to_be_in_viewport(ratio=1)
        expect(page.locator("#story-create")).to_be_hidden()


def test_a_link_to_try_opens_in_a_tab_of_its_own_and_generates(page: Page) -> None:
    links = page.locator("#examples a")
    for link in links.all():
        assert str(link.get_attribute("href")).startswith("?class=")
    with page.expect_popup() as opened:
        links.filter(has_text="A bag in 4 steps").click()
    with opened.value as other:
        expect(other.get_by_text("4 steps · 32 network evaluations")).to_be_visible()
        expect(other.locator("#gallery .caption-label").first).to_have_text("bag, seed 0")
