"""Tests of what the static site's page shares: links, pictures with settings, GIF files."""

import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.share import SharedSettings, parse_picture, parse_query
from tests.tools.static_page import (
    expect_finished,
    generate,
    images_of,
    open_site,
    pixels,
)

pytestmark = pytest.mark.slow

REQUEST = GenerateRequest("bag", 3, "linear", "ddim", 5, 2.5, 0.1, 0.9, seed=40)
QUERY = SharedSettings(REQUEST).to_query()


def parse_address(address: str) -> SharedSettings:
    """Return the settings in a link, as the app reads them."""
    query = urlsplit(address).query
    settings = parse_query({word: values[0] for word, values in parse_qs(query).items()})
    assert settings is not None
    return settings


def save(page: Page, button: str, path: Path) -> Path:
    """Press a button that saves a file; return its path, with the file's own name."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    target = path / download.value.suggested_filename
    download.value.save_as(target)
    return target


def test_a_link_of_the_app_draws_its_images_at_once(browser: Browser, address: str) -> None:
    with open_site(browser, address + QUERY) as page:
        expect_finished(page, 3, 5)
        expect(images_of(page).last).to_have_accessible_name("bag, seed 42")
        expect(page.get_by_role("radio", name="bag")).to_be_checked()
        expect(page.get_by_role("radio", name="linear", exact=True)).to_be_checked()
        expect(page.get_by_label("Sampler", exact=True)).to_have_value("ddim")
        expect(page.get_by_label("Guidance", exact=True)).to_have_value("2.5")
        expect(page.locator("#notice")).to_be_empty()
        expect(page.get_by_role("alert")).to_be_hidden()


def test_the_address_follows_the_shown_run_and_opens_in_the_app(page: Page) -> None:
    generate(page, Steps="4", Guidance="1.5", **{"Number of images": "2"})
    expect_finished(page, 2, 4)
    settings = parse_address(page.url)
    assert settings.request == GenerateRequest(
        "ankle boot", 2, num_inference_steps=4, guidance_scale=1.5
    )
    assert settings.scorer == "embedded"
    assert len(settings.model) == 12
    before = pixels(page, 0)
    page.reload()
    expect_finished(page, 2, 4)
    assert pixels(page, 0) == before


def test_links_to_all_images_and_to_the_selected_one_are_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    generate(page, Steps="2", **{"Number of images": "2"})
    expect_finished(page, 2, 2)
    images_of(page).last.click()
    page.get_by_text("Share", exact=True).click()
    copied = []
    for label in ("Link to all images", "Link to the selected image alone"):
        value = page.get_by_label(label, exact=True).input_value()
        copy = page.locator(".link").filter(has_text=label).get_by_role("button", name="Copy")
        expect(copy).to_have_accessible_description(label)
        copy.click()
        expect(page.get_by_role("button", name="Copied").last).to_be_focused()
        copied.append(page.evaluate("navigator.clipboard.readText()"))
        assert copied[-1] == value
    every, one = map(parse_address, copied)
    assert every.request.num_images == 2
    assert one.request == every.request.select_image(1)
    page.goto(copied[1])
    expect_finished(page, 1, 2)
    expect(images_of(page).first).to_have_accessible_name("ankle boot, seed 1")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?class=sock", "Class is 'sock'; it must be one of T-shirt, trouser"),
        ("?class=bag&steps=9999", "Steps is 9999; it must be a whole number from 1 to 100"),
        ("?class=bag&stepz=4", "'stepz' is no word of a link; it must be steps."),
        ("?class=bag&class=coat", "'class' is given again; a link must give it once."),
        ("?steps=4", "Class is empty; it must be the name of a class."),
        ("?class=<img src=x onerror=alert(1)>", "Class is '‹img src=x onerror=alert(1)›'"),
    ],
)
def test_a_link_with_nonsense_is_told_in_a_sentence_and_draws_nothing(
    browser: Browser, address: str, query: str, sentence: str
) -> None:
    with open_site(browser, address + query) as page:
        expect(page.get_by_role("alert")).to_contain_text(f"The link could not be read. {sentence}")
        expect(page.locator("#status")).to_contain_text("Ready-made samples")
        expect(page.locator("#runtime")).to_contain_text("Runs in this browser")
        expect(page.locator("#generate")).to_have_text("Generate")
        assert urlsplit(page.url).query, "it stays in the address bar to be corrected"


def test_words_of_others_in_a_link_are_ignored(browser: Browser, address: str) -> None:
    with open_site(browser, f"{address}?utm_source=mail&__theme=dark") as page:
        expect(page.locator("#status")).to_contain_text("Ready-made samples")
        expect(page.get_by_role("alert")).to_be_hidden()


def test_another_model_and_another_scorer_are_told(browser: Browser, address: str) -> None:
    request = GenerateRequest("bag", 1, num_inference_steps=1)
    shared = SharedSettings(request, "0123456789ab", "openai/clip-vit-base-patch32")
    with open_site(browser, address + shared.to_query()) as page:
        notice = page.locator("#notice")
        expect_finished(page, 1, 1)
        expect(notice).to_contain_text("was made with a different model version")
        expect(notice).to_contain_text("openai/clip-vit-base-patch32, is not on this page")


def test_a_saved_image_carries_its_settings_and_restores_them(
    browser: Browser, address: str, page: Page, tmp_path: Path
) -> None:
    generate(page, Steps="3", Seed="7", **{"Number of images": "2"})
    expect_finished(page, 2, 3)
    images_of(page).last.click()
    path = save(page, "Save the selected image", tmp_path)
    assert path.name == "ankle-boot-0000000008.png"
    request = GenerateRequest("ankle boot", 1, num_inference_steps=3, seed=8)
    settings = parse_picture(path)
    assert settings.request == request
    assert settings.scorer == "embedded"
    with Image.open(path) as picture:
        assert picture.size == (224, 224)
    drawn = pixels(page, 1)
    with open_site(browser, address) as other:
        other.get_by_text("Share", exact=True).click()
        other.get_by_label("Restore settings from an image").set_input_files(path)
        expect_finished(other, 1, 3)
        expect(other.locator("#notice")).to_have_text("Settings of ankle boot, seed 8, restored.")
        assert pixels(other, 0) == drawn


def test_a_picture_that_is_dropped_anywhere_restores_its_settings(
    page: Page, tmp_path: Path
) -> None:
    path = save(page, "Save the selected image", tmp_path)
    page.evaluate(
        """(bytes) => {
      const transfer = new DataTransfer();
      const file = new File([new Uint8Array(bytes)], "a.png", {type: "image/png"});
      transfer.items.add(file);
      const options = {dataTransfer: transfer, bubbles: true, cancelable: true};
      for (const name of ["dragover", "drop"])
        document.querySelector("#gallery").dispatchEvent(new DragEvent(name, options));
    }""",
        list(path.read_bytes()),
    )
    expect_finished(page, 1, 10)
    expect(images_of(page).first).to_have_accessible_name("T-shirt, seed 0")


@pytest.mark.parametrize("content", [b"no picture", b""])
def test_a_file_without_settings_is_told_in_a_sentence(page: Page, content: bytes) -> None:
    page.get_by_text("Share", exact=True).click()
    file = FilePayload(name="a.png", mimeType="image/png", buffer=content)
    page.get_by_label("Restore settings from an image").set_input_files(file)
    expect(page.get_by_role("alert")).to_contain_text("The file is not a PNG picture made by")
    expect(page.locator("#status")).to_contain_text("Ready-made samples")


def test_a_strangers_picture_is_told_in_a_sentence(page: Page) -> None:
    buffer = io.BytesIO()
    Image.new("L", (28, 28)).save(buffer, "PNG")
    page.get_by_text("Share", exact=True).click()
    file = FilePayload(name="a.png", mimeType="image/png", buffer=buffer.getvalue())
    page.get_by_label("Restore settings from an image").set_input_files(file)
    expect(page.get_by_role("alert")).to_contain_text("The picture holds no settings")


def test_a_trajectory_is_saved_as_a_gif_of_all_steps(page: Page, tmp_path: Path) -> None:
    generate(page, Steps="6", **{"Number of images": "2"})
    expect_finished(page, 2, 6)
    expect(page.locator("#trajectory .readout")).to_contain_text("Step 6 of 6")
    path = save(page, "Download as GIF", tmp_path)
    expect(page.get_by_role("button", name="Download as GIF")).to_be_focused()
    assert re.fullmatch(r"ankle-boot-seed-0\.gif", path.name)
    with Image.open(path) as picture:
        assert picture.format == "GIF"
        assert getattr(picture, "n_frames", 1) == 6
