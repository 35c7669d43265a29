"""The player of the denoising trajectory in a browser: its parts and what they show."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.tools.browsing import open_page
from tests.tools.hands import HEARTBEAT


@contextmanager
def open_player(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Open the page with a player that does not start by itself."""
    with open_page(browser, address, **{"reduced_motion": "reduce", **options}) as page:
        expect(player(page)).to_be_visible()
        yield page


def player(page: Page) -> Locator:
    return page.locator("#trajectory-player .player")


def slider(page: Page) -> Locator:
    return page.get_by_label("Step of the trajectory")


def button(page: Page, name: str) -> Locator:
    return player(page).get_by_role("button", name=name, exact=True)


def expect_step(page: Page, step: int, steps: int = 10, subject: str = "T-shirt, seed 0") -> None:
    """Expect that all views show a step: text, slider, pictures, filmstrip, line in the chart."""
    expect(player(page)).to_have_attribute("data-step", str(step))
    expect(player(page).locator(".readout")).to_contain_text(f"Step {step} of {steps} ·")
    expect(slider(page)).to_have_attribute(
        "aria-valuetext", re.compile(rf"step {step} of {steps}, sigma \d")
    )
    for state in ("noisy image", "predicted clean image"):
        name = f"{subject}, step {step} of {steps}: {state}"
        expect(page.get_by_role("img", name=name, exact=True)).to_be_visible()
    current = player(page).locator(".filmstrip [aria-current=true]")
    expect(current).to_have_count(1)
    if steps <= 11:
        expect(current).to_have_attribute("aria-label", f"Show step {step} of {steps}")
    assert line_in_chart(page) == pytest.approx(step / steps, abs=0.01)


def line_in_chart(page: Page) -> float:
    """Return where the line of the current step stands, as a share of the x axis."""
    grid, now = (player(page).locator(f"svg .{name}").first for name in ("grid", "now"))
    left, right, x = (
        float(str(line.get_attribute(name)))
        for line, name in ((grid, "x1"), (grid, "x2"), (now, "x1"))
    )
    return (x - left) / (right - left)


def pixels(canvas: Locator) -> str:
    """Return the content of a canvas."""
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


def point_in_chart(page: Page, progress: float) -> tuple[float, float]:
    """Return the coordinates on the screen of a share of the chart's x axis."""
    chart = player(page).locator("svg")
    chart.scroll_into_view_if_needed()
    box = chart.locator(".grid").first.bounding_box()
    frame = chart.bounding_box()
    assert box is not None
    assert frame is not None
    return box["x"] + progress * box["width"], frame["y"] + frame["height"] / 2


@contextmanager
def no_request(page: Page) -> Iterator[None]:
    """Fail if the page asks anything of its server."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if HEARTBEAT not in request.url:
            asked.append(request.url)

    page.wait_for_timeout(1000)  # the page's own first events
    page.on("request", note)
    yield
    page.remove_listener("request", note)
    assert not asked
