"""Tests of the static site's page in a browser: opening, settings, runs and their images."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from fashion_ddpm.core.config import SAMPLERS, TURBO
from fashion_ddpm.core.image_kind import CLASS_NAMES
from tests.tools.browsing import layout_shift
from tests.tools.static_host import Host
from tests.tools.static_page import (
    LOADED_NETWORK,
    expect_finished,
    fill,
    gallery,
    generate,
    images_of,
    open_site,
    pixels,
)

pytestmark = pytest.mark.slow

MODELS = re.compile(r"models/.*\.onnx\.gz$")


def test_the_page_opens_with_images_and_scores_before_any_network(
    browser: Browser, host: Host
) -> None:
    host.faults["manifest.json"] = lambda *_: None  # nothing is loaded without it
    with open_site(browser, host.address) as page:
        expect(page.locator("#status")).to_contain_text("Ready-made samples, one per class")
        expect(images_of(page)).to_have_count(10)
        expect(page.locator("#label-scores .best")).to_have_count(3)
        expect(page.locator("#quality-scores .best")).to_have_count(3)
        expect(page.locator("#trajectory .player")).to_be_visible()
        assert not list(filter(MODELS.search, host.asked))
        host.faults.clear()


def test_the_network_is_loaded_while_nothing_is_done(page: Page) -> None:
    expect(page.locator("#runtime")).to_contain_text(re.compile(f"{LOADED_NETWORK}, .*threads?"))
    expect(page.locator("#loading")).to_be_hidden()


def test_with_data_saving_the_network_is_loaded_by_generate_alone(
    browser: Browser, host: Host
) -> None:
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"
    )
    page = context.new_page()
    page.clock.install()
    page.goto(host.address)
    expect(images_of(page)).to_have_count(10)
    page.clock.fast_forward(10_000)  # longer than the page waits for an idle moment
    page.evaluate("fetch('icon.svg')")
    assert "js/runtime/worker.js" not in host.asked, "it would ask for the network"
    generate(page, Steps="2")
    expect_finished(page, 8, 2)
    context.close()


def test_a_visitor_picks_a_class_a_schedule_and_steps_and_sees_scored_images(page: Page) -> None:
    page.get_by_role("radio", name="trouser").check()
    page.get_by_role("radio", name="karras").check()
    generate(page, Steps="6")
    expect_finished(page, 8, 6)
    expect(page.locator("#status")).to_contain_text("48 network evaluations · seeds 0–7")
    expect(images_of(page).last).to_have_accessible_name("trouser, seed 7")
    expect(page.locator("#scores")).to_have_attribute("data-state", "known")
    real = page.locator("#label-scores > div").last
    expect(real.locator(".best")).to_have_text("A trouser")
    expect(page.locator("#runtime")).to_contain_text("ms a step for 8 images")
    expect(page.locator("#note")).to_contain_text(re.compile(r"About [\d.<]+ s: 8 images × 6"))


@pytest.mark.parametrize("sampler", [*SAMPLERS, TURBO])
def test_every_sampler_draws_its_own_images(page: Page, sampler: str) -> None:
    before = pixels(page, 0)
    page.get_by_label("Sampler", exact=True).select_option(sampler)
    generate(page, Steps="3", **{"Number of images": "2"})
    expect_finished(page, 2, 3)
    first, second = pixels(page, 0), pixels(page, 1)
    assert len({before, first, second}) == 3
    generate(page, Seed="1")
    expect(page.locator("#status")).to_contain_text("network evaluations · seeds 1–2")
    assert pixels(page, 0) == second, "the same seed gives the same image, in any batch"


def test_images_and_the_tabs_icon_form_step_by_step(page: Page) -> None:
    icon = page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", "icon.svg")
    page.evaluate("""() => {
      window.seen = {strip: new Set(), image: new Set(), icon: new Set(), texts: new Set()};
      const look = () => {
        const canvas = document.querySelector("#gallery canvas");
        seen.strip.add(document.querySelector("#preview").toDataURL());
        seen.image.add(canvas.toDataURL());
        seen.icon.add(document.querySelector("link[rel=icon]").href);
        seen.texts.add(document.querySelector("#generate").textContent);
        requestAnimationFrame(look);
      };
      look();
    }""")
    generate(page, Steps="60", **{"Number of images": "16"})
    expect_finished(page, 16, 60)
    numbers = page.evaluate("""() => Object.fromEntries(
      Object.entries(seen).map(([name, values]) => [name, values.size]))""")
    assert min(numbers.values()) > 3, numbers
    expect(icon).to_have_attribute("href", re.compile("^data:image/png"))


def test_stop_keeps_the_images_before_and_the_next_run_works(page: Page) -> None:
    before = [pixels(page, index) for index in range(3)]
    generate(page, Steps="100", **{"Number of images": "16"})
    expect(page.locator("#generate")).to_have_text(re.compile(r"Generating \d+/100 …"))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#status")).to_contain_text(re.compile(r"Stopped at step \d+ of 100"))
    expect(page.locator("#generate")).to_have_text("Generate")
    expect(images_of(page)).to_have_count(10)
    assert [pixels(page, index) for index in range(3)] == before
    generate(page, Steps="2")
    expect_finished(page, 16, 2)


def test_stop_works_while_the_network_is_on_its_way(browser: Browser, host: Host) -> None:
    host.faults["models/unet.onnx.gz"] = lambda *_: None  # an answer that never comes
    with open_site(browser, host.address) as page:
        generate(page)
        expect(page.locator("#status")).to_have_text("Generating 8 images …")
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.locator("#status")).to_have_text("Stopped. Below: the images before.")
        expect(page.locator("#generate")).to_have_text("Generate")


def test_new_settings_restart_a_run(page: Page) -> None:
    generate(page, Steps="100", **{"Number of images": "16"})
    button = page.locator("#generate")
    expect(button).to_have_attribute("aria-disabled", "true")
    page.get_by_role("radio", name="bag").check()
    expect(button).to_have_attribute("aria-disabled", "false")
    generate(page, Steps="2")
    expect_finished(page, 16, 2)
    expect(images_of(page).first).to_have_accessible_name("bag, seed 0")
    expect(button).to_have_text("Generate")


def test_a_preset_sets_the_schedule_the_sampler_and_the_steps(page: Page) -> None:
    page.get_by_role("radio", name="cosine", exact=True).check()
    fill(page, Guidance="3")
    page.get_by_role("button", name="Turbo · 4").click()
    guidance = page.get_by_label("Guidance", exact=True)
    expect(page.get_by_label("Sampler", exact=True)).to_have_value(TURBO)
    expect(guidance).to_be_disabled()
    expect(guidance).to_have_value("1")
    page.get_by_role("button", name="Best · 20").click()
    expect(page.get_by_role("radio", name="karras")).to_be_checked()
    expect(page.get_by_label("Steps", exact=True)).to_have_value("20")
    expect(page.locator("#note")).to_contain_text("8 images × 20 network evaluations")
    expect(guidance).to_be_enabled()


def test_the_note_tells_cost_guidance_and_the_broken_schedule(page: Page) -> None:
    note = page.locator("#note")
    expect(note).to_contain_text("8 images × 10 network evaluations")
    page.get_by_role("radio", name="report").check()
    expect(note).to_contain_text("Broken: at the noisiest level 60 % of the image's amplitude")
    fill(page, Guidance="2")
    expect(note).to_contain_text("8 images × 20 network evaluations")
    page.get_by_text("Guidance interval").click()
    fill(page, **{"Guidance to": "0.5"})
    expect(note).to_contain_text("Guidance acts from 0 to 0.5 of the noise levels")


@pytest.mark.parametrize(
    ("label", "value", "sentence"),
    [
        ("Seed", "", "Seed is empty; it must be a whole number from 0 to"),
        ("Steps", "101", "Steps is 101; it must be a whole number from 1 to 100"),
        ("Guidance", "0.5", "Guidance is 0.5; it must be a number from 1 to 10."),
    ],
)
def test_a_wrong_number_is_told_by_its_name_and_draws_nothing(
    page: Page, label: str, value: str, sentence: str
) -> None:
    before = page.locator("#status").text_content()
    generate(page, **{label: value})
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(page.locator("#note")).to_contain_text(sentence)
    expect(page.locator("#status")).to_have_text(str(before))
    generate(page, **{label: "2"})
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_new_random_seed_is_drawn_and_shown_for_each_run(page: Page) -> None:
    page.get_by_label("New random seed each time").check()
    seeds = set()
    for _ in range(2):
        generate(page, Steps="1", **{"Number of images": "1"})
        seed = page.get_by_label("Seed", exact=True).input_value()
        expect(images_of(page).first).to_have_accessible_name(f"ankle boot, seed {seed}")
        seeds.add(seed)
    assert len(seeds | {"0"}) == 3


def test_a_pressed_image_shows_its_own_scores(page: Page) -> None:
    own = page.locator("#label-scores > div").first
    expect(images_of(page).first).to_have_attribute("aria-pressed", "true")
    real = page.locator("#label-scores > div").last.locator(".best")
    for index in (9, 4):
        images_of(page).nth(index).click()
        expect(images_of(page).nth(index)).to_have_attribute("aria-pressed", "true")
        expect(gallery(page).locator("[aria-pressed=true]")).to_have_count(1)
        expect(real).to_contain_text(CLASS_NAMES[index])
        expect(own.locator("dd")).to_have_count(3)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_page_does_not_jump_while_it_opens(
    browser: Browser, address: str, width: int, height: int
) -> None:
    with open_site(browser, address, viewport={"width": width, "height": height}) as page:
        expect(page.locator("#runtime")).to_contain_text(LOADED_NETWORK)
        assert layout_shift(page) < 0.1
