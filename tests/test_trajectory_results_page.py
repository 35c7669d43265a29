"""Tests of what is made of a trajectory, in a browser: endings as other classes, a GIF."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.tools.browsing import generate
from tests.tools.trajectory_player import open_player, player, slider

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with open_player(browser, address) as page:
        yield page


def test_a_branch_begins_at_the_players_step_on_the_runs_own_schedule(page: Page) -> None:
    page.get_by_role("radio", name="karras").check()
    generate(page, Steps="4")
    expect(player(page).locator(".readout")).to_contain_text("Step 4 of 4")
    schedule = page.get_by_label("Schedule for the remaining steps")
    expect(schedule).to_have_value("karras")
    slider(page).focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    sigma = player(page).locator(".readout").inner_text().split("σ = ")[1]
    page.get_by_role("button", name="Branch from this step").click()
    start = f"Endings of ankle boot, seed 0, branched at step 2 (σ = {sigma}): "
    expect(page.get_by_text(start)).to_be_visible()
    expect(page.locator("#endings img")).to_have_count(10)
    page.locator("#gallery button.thumbnail-item").nth(1).click()
    expect(page.locator("#endings img")).to_have_count(0)
    expect(page.get_by_text("Endings of")).to_have_count(0)


def test_the_run_is_downloaded_as_a_gif_named_like_its_images(page: Page) -> None:
    page.get_by_role("radio", name="bag", exact=True).check()
    generate(page, Steps="3")
    expect(player(page).locator(".readout")).to_contain_text("Step 3 of 3")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as GIF").click()
    assert download.value.suggested_filename == "bag-seed-0.gif"
    with Image.open(Path(download.value.path())) as picture:
        assert (picture.format, getattr(picture, "n_frames", 1)) == ("GIF", 3)
