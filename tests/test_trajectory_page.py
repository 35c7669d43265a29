"""Tests of the player of the denoising trajectory, by mouse, touch and keys in a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.tools.browsing import PHONE, generate, open_page
from tests.tools.serving import serve_app
from tests.tools.trajectory_player import (
    button,
    expect_step,
    no_request,
    open_player,
    pixels,
    player,
    point_in_chart,
    slider,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Browser, quick_address: str) -> Iterator[Page]:
    with open_player(browser, quick_address) as page:
        yield page


PLAY_AND_PAUSE_JS = """(play) => new Promise((paused) => {
  const player = play.closest("[data-step]");
  const observer = new MutationObserver(() => {
    if (player.dataset.step === "1") return;
    observer.disconnect();
    play.click();
    paused();
  });
  observer.observe(player, {attributeFilter: ["data-step"]});
  play.click();
})"""
"""JavaScript: plays from the first step, and pauses at the next one that is shown."""


def test_a_run_is_played_paused_and_played_to_its_end_without_a_request(page: Page) -> None:
    expect_step(page, 10)
    shown = page.locator("#trajectory-player .pair canvas").last
    with no_request(page):
        at_last = pixels(shown)
        button(page, "Play").evaluate(PLAY_AND_PAUSE_JS)
        expect(player(page)).to_have_attribute("data-playing", "false")
        expect(page.get_by_role("status").filter(has_text="Paused at step")).to_have_count(1)
        paused = player(page).get_attribute("data-step")
        assert pixels(shown) != at_last
        button(page, "Play").click()
        expect(page.get_by_role("status").filter(has_text="Finished at step 10")).to_have_count(1)
        expect_step(page, 10)
        assert pixels(shown) == at_last
        assert paused != "10"


def test_twice_the_speed_takes_less_time(page: Page) -> None:
    speed = player(page).get_by_label("Speed")
    durations = []
    for chosen in ("2", "0.5"):
        speed.select_option(chosen)
        begin = page.evaluate("performance.now()")
        button(page, "Play").click()
        expect(button(page, "Pause")).to_be_visible()
        expect(button(page, "Play")).to_be_visible()
        durations.append(page.evaluate("performance.now()") - begin)
    assert durations[0] < durations[1]


def test_keys_step_play_and_pause(page: Page) -> None:
    with no_request(page):
        slider(page).focus()
        page.keyboard.press("Home")
        expect_step(page, 1)
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        expect_step(page, 4)
        page.keyboard.press("Space")
        expect(player(page)).to_have_attribute("data-playing", "true")
        page.keyboard.press("Space")
        expect(player(page)).to_have_attribute("data-playing", "false")
        expect(page.get_by_role("status").filter(has_text="Paused at step")).to_have_count(1)
        page.keyboard.press("End")
        expect_step(page, 10)
        button(page, "Play").focus()
        page.keyboard.press("ArrowLeft")
        expect_step(page, 9)
        page.keyboard.press("Space")
        expect(button(page, "Pause")).to_be_focused()
        page.keyboard.press("ArrowLeft")
        expect(player(page)).to_have_attribute("data-playing", "false")


def test_the_slider_is_dragged_and_every_view_follows(page: Page) -> None:
    slider(page).scroll_into_view_if_needed()
    box = slider(page).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    with no_request(page):
        page.mouse.move(box["x"] + box["width"] - 5, middle)
        page.mouse.down()
        seen = set()
        for share in (0.9, 0.6, 0.3, 0.02):
            page.mouse.move(box["x"] + share * box["width"], middle)
            seen.add(player(page).get_attribute("data-step"))
        page.mouse.up()
        assert len(seen) > 2, "it follows during the drag"
        expect_step(page, 1)


def test_chart_and_filmstrip_move_the_slider_by_hovering_and_by_a_click(page: Page) -> None:
    with no_request(page):
        page.mouse.move(*point_in_chart(page, 0.3))
        expect_step(page, 3)
        page.mouse.move(*point_in_chart(page, 0.72))
        expect_step(page, 7)
        frames = player(page).locator(".filmstrip button")
        frames.nth(1).hover()
        expect_step(page, 2)
        frames.nth(7).click()
        expect_step(page, 8)
        expect(slider(page)).to_be_focused()
        page.keyboard.press("ArrowLeft")
        expect_step(page, 7)


def test_hovering_leaves_a_playing_run_alone_and_a_click_pauses_it(page: Page) -> None:
    player(page).get_by_label("Speed").select_option("0.5")
    point_in_chart(page, 0.5)
    button(page, "Play").click()
    page.mouse.move(*point_in_chart(page, 0.95))
    expect(player(page)).to_have_attribute("data-playing", "true")
    page.mouse.click(*point_in_chart(page, 0.5))
    expect(player(page)).to_have_attribute("data-playing", "false")
    expect_step(page, 5)


def test_the_chart_names_its_lines_and_their_scores_at_the_step(page: Page) -> None:
    title = player(page).locator(".chart figcaption")
    expect(title).to_contain_text(re.compile(r"T-shirt\s*\d+ % \(requested\); runners-up: .+ and "))
    lines = title.locator("b")
    expect(lines).to_have_count(3)
    colours = [line.evaluate("line => getComputedStyle(line).color") for line in lines.all()]
    drawn = [
        line.evaluate("line => getComputedStyle(line).stroke")
        for line in player(page).locator("svg polyline").all()
    ]
    assert colours == drawn
    assert len(set(colours)) == 3
    expect(page.get_by_role("img", name=re.compile("T-shirt goes from"))).to_be_visible()
    for axis in ("denoising progress (%)", "label probability"):
        expect(player(page).get_by_text(axis)).to_be_visible()


def test_all_images_move_together_and_the_switch_shows_their_noise(page: Page) -> None:
    cells = player(page).locator(".cells canvas")
    expect(cells).to_have_count(10)
    clean = [pixels(cell) for cell in cells.all()]
    assert len(set(clean)) == 10
    player(page).get_by_label("noisy", exact=True).check()
    noisy = [pixels(cell) for cell in cells.all()]
    slider(page).focus()
    page.keyboard.press("Home")
    early = [pixels(cell) for cell in cells.all()]
    for before, after in ((clean, noisy), (noisy, early)):
        assert all(one != other for one, other in zip(before, after, strict=True))
    player(page).get_by_label("noisy", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    expect(player(page).get_by_label("predicted clean", exact=True)).to_be_checked()
    expect_step(page, 1)


def test_an_image_is_selected_in_the_player_and_keeps_the_step(page: Page) -> None:
    slider(page).focus()
    page.keyboard.press("Home")
    button(page, "dress, seed 3").click()
    expect_step(page, 1, subject="dress, seed 3")
    expect(button(page, "dress, seed 3")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#gallery button.thumbnail-item").nth(3)).to_have_class(
        re.compile("selected")
    )
    expect(player(page).get_by_text(re.compile('CLIP.+"dress"'))).to_be_visible()
    page.locator("#gallery button.thumbnail-item").nth(8).click()
    expect_step(page, 1, subject="bag, seed 8")


def test_it_shows_every_new_run_also_of_one_step_and_of_a_hundred(page: Page) -> None:
    for steps in (1, 100):
        generate(page, Steps=str(steps))
        expect(player(page).locator(".readout")).to_contain_text(f"Step {steps} of {steps} ·")
        expect(player(page).locator(".cells button")).to_have_count(8)
        assert slider(page).is_disabled() == button(page, "Play").is_disabled() == (steps == 1)
        expect_step(page, steps, steps, "ankle boot, seed 0")
    slider(page).focus()
    page.keyboard.press("ArrowLeft")
    expect_step(page, 99, 100, "ankle boot, seed 0")


def test_it_starts_by_itself_once_and_only_where_motion_is_welcome(
    browser: Browser, quick_address: str
) -> None:
    with open_page(browser, quick_address) as page:
        expect(player(page)).to_have_attribute("data-playing", "false")
        player(page).locator(".pair").scroll_into_view_if_needed()
        expect(player(page)).to_have_attribute("data-playing", "true")
        expect(page.get_by_role("status").filter(has_text="Finished")).to_have_count(1)
        page.get_by_role("heading").first.scroll_into_view_if_needed()
        player(page).locator(".pair").scroll_into_view_if_needed()
        page.wait_for_timeout(1000)
        assert player(page).get_attribute("data-playing") == "false", "not again"
    with open_player(browser, quick_address) as page:
        player(page).locator(".pair").scroll_into_view_if_needed()
        page.wait_for_timeout(1000)
        assert player(page).get_attribute("data-playing") == "false"
        expect_step(page, 10)


def test_a_finger_plays_scrubs_and_switches_on_a_phone(
    browser: Browser, quick_address: str
) -> None:
    with open_player(browser, quick_address, **PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        with no_request(page):
            player(page).locator(".filmstrip button").nth(2).tap()
            expect_step(page, 3)
            page.touchscreen.tap(*point_in_chart(page, 0.5))
            expect_step(page, 5)
            slider(page).scroll_into_view_if_needed()
            box = slider(page).bounding_box()
            assert box is not None
            page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
            expect_step(page, 10)
            button(page, "Play").tap()
            expect(player(page)).to_have_attribute("data-step", "2")
            button(page, "Pause").tap()
            expect(player(page)).to_have_attribute("data-playing", "false")
            cell = player(page).locator(".cells canvas").first
            before = pixels(cell)
            player(page).get_by_label("noisy", exact=True).tap()
            assert pixels(cell) != before
        button(page, "bag, seed 8").tap()
        expect(player(page).locator(".subject")).to_have_text("bag, seed 8")


SMALL_TARGETS = """(player) => [...player.querySelectorAll("button, input, select")]
  .map((each) => (each.type === "radio" ? each.parentElement : each).getBoundingClientRect())
  .filter((box) => box.width < 24 || box.height < 24).length"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_it_bars_nobodys_way(
    browser: Browser, quick_address: str, width: int, height: int, scheme: str
) -> None:
    options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    with open_player(browser, quick_address, **options) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert player(page).evaluate(SMALL_TARGETS) == 0
        violations = Axe().run(page, context="#trajectory-player").response["violations"]
        assert not [each["id"] for each in violations if each["impact"] in ("serious", "critical")]
        slider(page).focus()
        page.keyboard.press("ArrowLeft")
        assert slider(page).evaluate("each => getComputedStyle(each).outlineStyle") == "solid"


def test_it_plays_images_in_colour_of_another_size_without_scores(
    browser: Browser, shapes_checkpoint: Path
) -> None:
    with (
        serve_app("--checkpoint", str(shapes_checkpoint)) as own,
        open_player(browser, own) as page,
    ):
        count = player(page).locator(".cells button").count()
        assert count == 3
        large = player(page).locator(".pair canvas").last
        assert large.evaluate("canvas => [canvas.width, canvas.height]") == [32, 32]
        slider(page).focus()
        at_last = pixels(large)
        page.keyboard.press("Home")
        assert pixels(large) != at_last
        expect(player(page)).to_have_attribute("data-step", "1")
        expect(player(page).locator(".chart")).to_be_hidden()
        button(page, "Play").click()
        expect(page.get_by_role("status").filter(has_text="Finished")).to_have_count(1)
