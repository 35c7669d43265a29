"""Tests of two runs side by side in the player of the trajectory, in a browser."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.tools.browsing import DESKTOP, PHONE, generate
from tests.tools.trajectory_player import (
    button,
    no_request,
    open_player,
    pixels,
    player,
    slider,
)

pytestmark = pytest.mark.slow

DARK: dict[str, Any] = {**DESKTOP, "color_scheme": "dark"}


def side(page: Page, letter: str) -> Locator:
    """Return the side of run A or B."""
    return player(page).locator(".side").filter(has=page.get_by_text(f"{letter}: "))


def frames(page: Page, letter: str) -> list[str]:
    """Return the pixels of a side: noisy, predicted clean."""
    return [pixels(canvas) for canvas in side(page, letter).locator("canvas").all()]


def keep_and_generate(page: Page, first: dict[str, str], second: dict[str, str]) -> None:
    """Generate a run, keep it as A, and generate another one, which becomes B."""
    generate(page, **first)
    readout = player(page).locator(".readout").last
    expect(readout).to_contain_text(f"of {first['Steps']} ·")
    button(page, "Keep as A").click()
    expect(page.get_by_role("status").filter(has_text="kept as A")).to_be_visible()
    expect(player(page).locator(".side:visible")).to_have_count(1)
    generate(page, **second)
    expect(side(page, "B").locator(".readout")).to_contain_text(f"of {second['Steps']} ·")


def expect_steps(page: Page, step_of_a: str, step_of_b: str) -> None:
    for letter, step in (("A", step_of_a), ("B", step_of_b)):
        expect(side(page, letter).locator(".readout")).to_contain_text(f"{step} ·")
        name = f"{letter}: ankle boot, seed 0, {step.lower()}: predicted clean image"
        expect(page.get_by_role("img", name=name, exact=True)).to_be_visible()


@pytest.mark.parametrize("options", [DARK, PHONE], ids=["mouse", "finger"])
def test_one_slider_moves_both_runs_by_the_share_of_the_trajectory(
    browser: Browser, quick_address: str, options: dict[str, Any]
) -> None:
    with open_player(browser, quick_address, **options) as page:
        keep_and_generate(page, {"Steps": "20"}, {"Steps": "4"})
        with no_request(page):
            expect_steps(page, "Step 20 of 20", "Step 4 of 4")
            expect(side(page, "A").locator(".settings b")).to_have_text(["Steps 20"])
            expect(side(page, "B").locator(".settings b")).to_have_text(["Steps 4"])
            at_last = frames(page, "A"), frames(page, "B")
            assert at_last[0] != at_last[1]
            slider(page).focus()
            page.keyboard.press("ArrowLeft")
            expect_steps(page, "Step 15 of 20", "Step 3 of 4")
            page.keyboard.press("Home")
            expect_steps(page, "Step 5 of 20", "Step 1 of 4")
            earlier = frames(page, "A"), frames(page, "B")
            assert all(one != other for one, other in zip(at_last, earlier, strict=True))
            page.keyboard.press("End")
            assert (frames(page, "A"), frames(page, "B")) == at_last
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
        violations = Axe().run(page, context="#trajectory-player").response["violations"]
        assert not [each["id"] for each in violations if each["impact"] in ("serious", "critical")]


def test_all_images_of_a_stand_before_those_of_b_until_a_is_removed(
    browser: Browser, quick_address: str
) -> None:
    with open_player(browser, quick_address) as page:
        page.get_by_role("radio", name="karras").check()
        keep_and_generate(page, {"Steps": "3"}, {"Steps": "5", "Number of images": "2"})
        kept = player(page).get_by_role("group", name="A: all images").locator("canvas")
        expect(kept).to_have_count(8)
        clean = [pixels(canvas) for canvas in kept.all()]
        player(page).get_by_label("noisy", exact=True).check()
        noisy = [pixels(canvas) for canvas in kept.all()]
        assert len({*clean, *noisy}) == 16
        button(page, "ankle boot, seed 1").click()
        for letter in "AB":
            subject = side(page, letter).locator(".subject")
            expect(subject).to_have_text(f"{letter}: ankle boot, seed 1")
        button(page, "Remove A").click()
        expect(player(page).locator(".side")).to_have_count(1)
        expect(player(page).locator(".subject")).to_have_text("ankle boot, seed 1")
        expect(player(page).locator(".settings")).to_be_empty()
        expect(kept).to_have_count(0)
        expect(button(page, "Keep as A")).to_be_visible()


def test_the_run_that_is_kept_is_not_beside_itself(browser: Browser, quick_address: str) -> None:
    with open_player(browser, quick_address) as page:
        keep_and_generate(page, {"Steps": "3"}, {"Steps": "5"})
        generate(page, Steps="3")
        expect(player(page).locator(".side:visible .readout")).to_contain_text(["Step 3 of 3"])
        expect(player(page).locator(".side:visible .subject")).to_have_text(["ankle boot, seed 0"])
        expect(player(page).get_by_role("group", name="A: all images")).to_be_hidden()
        generate(page, Steps="5")
        expect(side(page, "A").locator(".readout")).to_contain_text("Step 3 of 3")
        expect(side(page, "B").locator(".readout")).to_contain_text("Step 5 of 5")
