"""Tests of the Play tab in a browser: its sketch pad as a hand uses it, and its other games."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from fashion_ddpm.core.image_kind import CLASS_NAMES
from tests.tools.browsing import DESKTOP, PHONE, open_page, open_tab
from tests.tools.hands import Traffic, stroke

pytestmark = pytest.mark.slow

EMPTY = "The sketch pad is empty"


@pytest.fixture(params=[DESKTOP, PHONE], ids=["mouse", "finger"])
def play(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The tab on a desktop, and on a phone with a touch screen."""
    with open_page(browser, f"{address}/?tab=play", **request.param) as page:
        expect(page.get_by_text(EMPTY)).to_be_visible()
        yield page


@pytest.fixture
def runs(play: Page) -> list[Request]:
    """The requests that the tab has sent since."""
    found: list[Request] = []

    def record(request: Request) -> None:
        if "queue/join" in request.url:
            found.append(request)

    play.on("request", record)
    return found


def press(target: Locator) -> None:
    target.tap() if target.page.evaluate("navigator.maxTouchPoints") else target.click()


def canvas(page: Page) -> Locator:
    return page.locator("#sketch-pad canvas")


def pixels(page: Page) -> str:
    """Return the drawing as the URL of a picture."""
    return str(canvas(page).evaluate("canvas => canvas.toDataURL()"))


def images(page: Page) -> Locator:
    return page.get_by_alt_text("your drawing, and seven garments made from it")


def source(page: Page) -> str:
    """Return the address of the images that were made of the drawing."""
    expect(images(page)).to_be_visible()
    return str(images(page).get_attribute("src"))


def test_a_stroke_is_answered_when_it_ends(play: Page, runs: list[Request]) -> None:
    blank = pixels(play)
    stroke(canvas(play))
    assert pixels(play) != blank
    expect(images(play)).to_be_in_viewport()
    assert len(runs) == 1
    first = source(play)
    stroke(canvas(play), 0.6)
    expect(images(play)).not_to_have_attribute("src", first)


def test_many_strokes_in_a_row_do_not_pile_up_and_the_last_one_wins(
    play: Page, runs: list[Request]
) -> None:
    traffic = Traffic()
    traffic.watch(play)
    for place in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        stroke(canvas(play), place)
    expect(images(play)).to_be_visible()
    traffic.settle(play)
    assert len(runs) < 6
    assert pixels(play) in str(runs[-1].post_data)


def test_a_silhouette_comes_with_its_class_and_can_be_changed(play: Page) -> None:
    shapes = play.get_by_role("group", name="Silhouettes to start from").get_by_role("button")
    expect(shapes).to_have_count(len(CLASS_NAMES))
    for shape in shapes.all():
        box = shape.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
    press(shapes.and_(play.get_by_role("button", name="bag", exact=True)))
    menu = play.get_by_label("Turn into", exact=True)
    expect(menu).to_have_value("bag")
    first, drawing = source(play), pixels(play)
    press(play.get_by_role("button", name="Eraser"))
    stroke(canvas(play))
    expect(images(play)).not_to_have_attribute("src", first)
    assert pixels(play) != drawing
    expect(menu).to_have_value("bag")
    press(play.get_by_role("button", name="Undo"))
    expect(images(play)).to_have_attribute("src", first)
    assert pixels(play) == drawing


def test_the_class_and_the_strength_are_answered_too(play: Page) -> None:
    press(play.get_by_role("button", name="sneaker", exact=True))
    first = source(play)
    press(play.get_by_label("Turn into", exact=True))
    press(play.get_by_role("option", name="bag", exact=True))
    expect(images(play)).not_to_have_attribute("src", first)
    second = source(play)
    play.get_by_label("number input for Strength", exact=True).fill("0.3")
    expect(images(play)).not_to_have_attribute("src", second)


def test_a_cleared_pad_has_no_images_and_undo_brings_them_back(play: Page) -> None:
    blank = pixels(play)
    stroke(canvas(play))
    first = source(play)
    press(play.get_by_role("button", name="Clear"))
    expect(play.get_by_text(EMPTY)).to_be_visible()
    expect(images(play)).to_be_hidden()
    assert pixels(play) == blank
    press(play.get_by_role("button", name="Undo"))
    expect(images(play)).to_have_attribute("src", first)
    press(play.get_by_role("button", name="Undo"))
    expect(play.get_by_role("button", name="Undo")).to_be_disabled()
    expect(play.get_by_text(EMPTY)).to_be_visible()
    expect(play.locator(".toast-body.error")).to_have_count(0)


def test_the_keyboard_alone_turns_a_silhouette_into_images(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/?tab=play", **DESKTOP) as page:
        page.get_by_role("button", name="dress", exact=True).press("Enter")
        first = source(page)
        page.get_by_label("number input for Strength", exact=True).fill("1")
        page.get_by_role("button", name="Turn it into images").press("Enter")
        expect(images(page)).not_to_have_attribute("src", first)
        expect(page.get_by_role("status").filter(has_text="Your drawing")).to_be_visible()


def test_garments_are_blended_and_walked(page: Page) -> None:
    open_tab(page, "Play")
    page.get_by_role("button", name="Blend", exact=True).click()
    expect(page.get_by_alt_text("from the first garment to the second")).to_be_visible()
    page.get_by_role("button", name="Walk", exact=True).click()
    expect(page.get_by_alt_text(re.compile("from the first seed to"))).to_be_visible()
