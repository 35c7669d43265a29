"""Tests of the trajectory on the static site's page: the player, its scores and kept runs."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from fashion_ddpm.core.image_kind import label_prompts
from tests.tools.static_page import (
    content,
    expect_finished,
    fill,
    generate,
    images_of,
    open_site,
)

pytestmark = pytest.mark.slow


SEEN_JS = """(element) => new Promise((resolve) => {
  const answer = ([entry]) => entry.isIntersecting && requestAnimationFrame(resolve);
  new IntersectionObserver(answer, {threshold: 1}).observe(element);
})"""
"""Waits until an element was in view, as the player does before it starts."""


@pytest.fixture
def page(page: Page) -> Page:
    """The page, once the player of the first image is there."""
    expect(player(page)).to_be_visible()
    return page


def player(page: Page) -> Locator:
    return page.locator("#trajectory .player")


def slider(page: Page) -> Locator:
    return page.get_by_label("Step of the trajectory")


def expect_step(page: Page, step: int, steps: int) -> None:
    expect(player(page)).to_have_attribute("data-step", str(step))
    expect(player(page).locator(".readout").last).to_contain_text(f"Step {step} of {steps} ·")


def test_the_bundled_images_have_trajectories_with_scores(page: Page) -> None:
    for index, name in ((0, "T-shirt"), (8, "bag")):
        images_of(page).nth(index).click()
        expect(player(page).locator(".subject")).to_have_text(f"{name}, seed\u00a0{index}")
        title = player(page).locator(".chart figcaption")
        expect(title).to_contain_text(re.compile(rf"{name}\s*\d+ % \(requested\)"))
        expect(player(page).locator("svg polyline")).to_have_count(3)
        expect(player(page).locator(".decision")).to_contain_text(f'"{name}"')
        expect_step(page, 10, 10)


def test_keys_step_play_and_pause(page: Page) -> None:
    generate(page, Steps="30", **{"Number of images": "2"})
    expect_finished(page, 2, 30)
    expect_step(page, 30, 30)
    slider(page).focus()
    page.keyboard.press("Home")
    expect_step(page, 1, 30)
    shown = player(page).locator(".pair canvas").last
    first = content(shown)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect_step(page, 4, 30)
    assert content(shown) != first
    page.keyboard.press("Space")
    expect(player(page)).to_have_attribute("data-playing", "true")
    page.keyboard.press("Space")
    expect(page.get_by_role("status").filter(has_text="Paused at step")).to_have_count(1)
    page.keyboard.press("Space")
    expect(page.get_by_role("status").filter(has_text="Finished at step 30")).to_have_count(1)


def test_every_step_of_a_drawn_image_is_scored(page: Page) -> None:
    generate(page, Steps="7", **{"Number of images": "3"})
    expect_finished(page, 3, 7)
    for index in (0, 2):
        images_of(page).nth(index).click()
        expect(player(page).locator(".subject")).to_contain_text(f"seed\u00a0{index}")
        expect(player(page).locator(".chart")).to_be_visible()
        expect(player(page).locator("svg circle")).to_have_count(3 * 7)
        expect(player(page).locator(".decision")).to_contain_text('"ankle boot"')
    # What the chart says of the last step is what the scores say of the image.
    player(page).get_by_role("button", name="Play").focus()
    scores = page.locator("#label-scores > div").first.locator("dl div")
    shown = {
        str(row.locator("dt").text_content()): row.locator("dd").text_content()
        for row in scores.all()
    }
    said = {}
    for line in player(page).locator("b[data-line]").all():
        found = re.fullmatch(r"(.+?)\s*(\d+\s%)", str(line.text_content()))
        assert found
        said[label_prompts((found[1],))[0]] = found[2]
    both = said.keys() & shown.keys()
    assert both
    for label in both:
        assert str(shown[label]).split() == str(said[label]).split()


def test_images_of_the_player_select_and_the_switch_shows_their_noise(page: Page) -> None:
    cells = player(page).locator(".cells button")
    cells.nth(3).click()
    expect(images_of(page).nth(3)).to_have_attribute("aria-pressed", "true")
    expect(cells.nth(3)).to_have_attribute("aria-pressed", "true")
    before = content(cells.nth(3).locator("canvas"))
    player(page).get_by_label("noisy", exact=True).check()
    assert content(cells.nth(3).locator("canvas")) != before


def test_a_kept_run_stands_beside_the_next_one(page: Page) -> None:
    player(page).get_by_role("button", name="Keep as A").click()
    page.get_by_role("radio", name="report").check()
    generate(page, Steps="5", **{"Number of images": "2"})
    expect_finished(page, 2, 5)
    subjects = player(page).locator(".subject")
    expect(subjects).to_have_text(["A: T-shirt, seed\u00a00", "B: ankle boot, seed\u00a00"])
    expect(player(page).locator(".side").last.locator(".settings b")).to_have_text(
        ["Noise schedule report", "Steps 5"]
    )
    slider(page).focus()
    page.keyboard.press("Home")
    readouts = player(page).locator(".readout")
    expect(readouts.first).to_contain_text("of 10 ·")
    expect(readouts.last).to_contain_text("Step 1 of 5 ·")
    player(page).get_by_role("button", name="Remove A").click()
    expect(subjects).to_have_text(["ankle boot, seed\u00a00"])


def test_one_step_of_one_image_has_a_trajectory(page: Page) -> None:
    generate(page, Steps="1", **{"Number of images": "1"})
    expect_finished(page, 1, 1)
    expect_step(page, 1, 1)
    expect(slider(page)).to_be_disabled()


def test_the_player_starts_by_itself_unless_reduced_motion_is_wished(
    browser: Browser, address: str
) -> None:
    for wish, has_played in (("no-preference", True), ("reduce", False)):
        with open_site(browser, address, reduced_motion=wish) as page:
            expect_step(page, 10, 10)
            fill(page, Seed="0")
            player(page).locator(".pair").scroll_into_view_if_needed()
            if has_played:
                expect(player(page)).to_have_attribute("data-playing", "true")
            else:
                player(page).locator(".pair").evaluate(SEEN_JS)
                expect(player(page)).to_have_attribute("data-playing", "false")
                expect_step(page, 10, 10)
