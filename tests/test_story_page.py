"""Tests of Why blurry? in a browser: its numbers, and each control as a hand uses it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import to_model, to_uint8
from fashion_ddpm.core.wording import format_percent
from fashion_ddpm.demo.why_blurry import explorer_data
from fashion_ddpm.diffusion.schedule_check import MAX_TERMINAL_ALPHA_BAR, check_schedule
from fashion_ddpm.diffusion.schedules import (
    MIN_ALPHA_BAR,
    LinearBetas,
    build_noise_scheduler,
    log_snr,
    noise_levels,
)
from fashion_ddpm.scoring.clip_baseline import load_real_sample
from fashion_ddpm.ui.components import read_script
from tests.tools.browsing import DESKTOP, PHONE, open_page
from tests.tools.hands import Traffic

pytestmark = pytest.mark.slow

SCHEDULES = [
    LinearBetas(levels, first, last)
    for levels in (10, 100, 201, 1000)
    for first, last in ((1e-5, 0.001), (1e-4, 0.02), (1e-3, 0.2), (0.01, 0.3), (0.01, 0.01))
]


@pytest.fixture(params=[DESKTOP, PHONE], ids=["mouse", "finger"])
def story(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The tab on a desktop, and on a phone with a touch screen."""
    with open_page(browser, f"{address}/?tab=why", **request.param) as page:
        expect(verdict(page)).to_contain_text("60 %")
        yield page


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[Page]:
    """The tab on a desktop."""
    with open_page(browser, f"{address}/?tab=why", **DESKTOP) as page:
        expect(verdict(page)).to_contain_text("60 %")
        yield page


def verdict(page: Page) -> Locator:
    """Return the explorer's verdict."""
    return page.locator("#explorer .verdict")


def red_bands(page: Page) -> Locator:
    """Return the bands "never trained here" of the charts of alpha-bar and log-SNR."""
    return page.locator("#explorer svg:not(.betas) rect.gap")


def evaluate(page: Page, expression: str, values: Any) -> Any:
    """Return an expression's value where the functions of schedule_math.js are defined."""
    code = read_script("schedule_math.js")
    return page.evaluate(f"(values) => {{ {code}\nreturn ({expression})(values); }}", values)


def test_the_browser_computes_what_python_computes(desktop: Page) -> None:
    for betas in SCHEDULES:
        values = [betas.num_train_timesteps, betas.beta_start, betas.beta_end]
        found = evaluate(
            desktop,
            f"""([levels, first, last]) => {{
              const alphas = alphaBars(linearBetas(levels, first, last));
              return {{
                alphas, logs: alphas.map(logSnr),
                visited: visitedLevels(alphas, 20, {MIN_ALPHA_BAR}).map((each) => each.alphaBar),
                check: checkLevels(alphas, {MAX_TERMINAL_ALPHA_BAR}),
                needed: requiredLastBeta(levels, first, {MAX_TERMINAL_ALPHA_BAR}),
              }};
            }}""",
            values,
        )
        expected = betas.alpha_bars()
        check = check_schedule(betas)
        assert found["alphas"] == pytest.approx(expected, rel=1e-9)
        assert found["logs"] == pytest.approx(log_snr(expected), rel=1e-9, abs=1e-9)
        visited = noise_levels(betas, 20, build_noise_scheduler("cosine")).alpha_bar
        assert found["visited"] == pytest.approx(visited, rel=1e-6)
        assert found["check"]["good"] == check.starts_from_noise
        assert found["check"]["alphaBar"] == pytest.approx(check.terminal_alpha_bar, rel=1e-9)
        left = float(np.sqrt(check.terminal_alpha_bar))
        percent = f"{100 * left:.0f} %" if left >= 0.1 else format_percent(left)
        assert percent in found["check"]["text"]
        if 1.01 * betas.beta_start < found["needed"] < 0.3:  # the chart ends there
            repaired = LinearBetas(betas.num_train_timesteps, values[1], found["needed"])
            assert repaired.alpha_bars()[-1] == pytest.approx(MAX_TERMINAL_ALPHA_BAR, rel=0.05)


def test_the_browser_noises_an_image_as_python_does(desktop: Page) -> None:
    data = explorer_data(20)
    noise = torch.tensor(data["noise"]).view(1, 1, 28, 28)
    image = load_real_sample().select_class(CLASS_NAMES.index("bag"))[:1]
    for level in (0.9999, 0.36, 1e-9):
        expected = to_uint8(level**0.5 * to_model(image) + (1 - level) ** 0.5 * noise)
        found = evaluate(
            desktop,
            "([pixels, noise, level]) => noisedPixels(pixels, noise, level)",
            [image.flatten().tolist(), data["noise"], level],
        )
        difference = np.abs(np.array(found) - expected.flatten().numpy().astype(int))
        assert difference.max() <= 1


@contextmanager
def dragged(
    page: Page, start: tuple[float, float], ends: list[tuple[float, float]]
) -> Iterator[None]:
    """Press at a place, move and let go at the end; with a finger where the page has touch."""
    if page.evaluate("navigator.maxTouchPoints"):
        session = page.context.new_cdp_session(page)
        for kind, place in [("touchStart", start), *(("touchMove", end) for end in ends)]:
            points = [{"x": place[0], "y": place[1]}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        yield
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    else:
        page.mouse.move(*start)
        page.mouse.down()
        for end in ends:
            page.mouse.move(*end)
        yield
        page.mouse.up()


def box_of(target: Locator) -> FloatRect:
    """Scroll to a place in the middle of the screen and return where it is."""
    target.evaluate("target => target.scrollIntoView({block: 'center'})")
    box = target.bounding_box()
    assert box is not None
    return box


def test_everything_follows_a_slider_while_it_is_dragged_and_nothing_is_sent(story: Page) -> None:
    traffic = Traffic()
    traffic.watch(story)
    expect(red_bands(story)).to_have_count(2)
    pixels = "canvas => canvas.toDataURL()"
    canvas = story.locator("#explorer canvas.yours")
    before = canvas.evaluate(pixels)
    box = box_of(story.locator("#explorer-levels-range"))
    middle = box["y"] + box["height"] / 2
    places = [(box["x"] + share * box["width"], middle) for share in (0.2, 0.5, 0.97)]
    with dragged(story, (box["x"] + 0.09 * box["width"], middle), places):
        expect(verdict(story)).to_contain_text("Good")
        expect(red_bands(story)).to_have_count(0)
        assert canvas.evaluate(pixels) != before
    assert not traffic.events


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("levels", "End", "1000"), ("first", "Home", "0.00001"), ("last", "End", "0.3")],
)
def test_keys_and_numbers_move_each_slider(desktop: Page, name: str, key: str, value: str) -> None:
    number = desktop.locator(f"#explorer-{name}")
    track = desktop.locator(f"#explorer-{name}-range")
    chart = desktop.locator("#explorer svg.log-snr polyline.yours")
    start, first = number.input_value(), chart.get_attribute("points")
    track.focus()
    desktop.keyboard.press(key)
    assert float(number.input_value()) == float(value)
    assert chart.get_attribute("points") != first
    desktop.keyboard.press("ArrowLeft" if key == "End" else "ArrowRight")
    assert float(number.input_value()) != float(value)
    number.fill(start)
    assert chart.get_attribute("points") == first
    number.fill("99999")
    number.press("Tab")
    assert float(number.input_value()) <= 1000


def test_a_beta_that_passes_the_other_takes_it_along(desktop: Page) -> None:
    first, last = desktop.locator("#explorer-first"), desktop.locator("#explorer-last")
    last.fill("0.005")
    first.fill("0.009")
    expect(last).to_have_value("0.009")
    last.fill("0.002")
    expect(first).to_have_value("0.002")


def test_the_end_of_the_line_is_dragged_out_of_the_red(story: Page) -> None:
    knob = story.locator("#explorer .handle .target")
    box = box_of(knob)
    assert min(box["width"], box["height"]) >= 24
    start = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    with dragged(story, start, [(start[0] + 20, start[1] - 20), (start[0] + 80, start[1] - 80)]):
        expect(verdict(story)).to_contain_text("Good")
        assert float(story.locator("#explorer-levels").input_value()) > 200
        assert float(story.locator("#explorer-last").input_value()) > 0.08
    expect(verdict(story)).to_contain_text("Good")


PRESETS = {
    "Half a fix: T = 200": "36 %",
    "Fix: T = 1000": "0.64 %",
    "Fix: betas × 10": "0.45 %",
    "Student's report: T = 100": "60 %",
}


def test_each_preset_sets_the_betas_and_is_marked(story: Page) -> None:
    for name, left in PRESETS.items():
        button = story.get_by_role("button", name=name, exact=True)
        button.tap() if story.evaluate("navigator.maxTouchPoints") else button.click()
        expect(verdict(story)).to_contain_text(left)
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(story.locator(".presets [aria-pressed=true]")).to_have_count(1)


def test_the_explorers_betas_and_class_are_what_is_sampled(story: Page) -> None:
    story.get_by_role("button", name="Fix: T = 1000", exact=True).click()
    menu = story.locator("#explorer-class")
    pixels = "canvas => canvas.toDataURL()"
    before = story.locator("#explorer canvas.cosine").evaluate(pixels)
    menu.select_option("bag")
    assert story.locator("#explorer canvas.cosine").evaluate(pixels) != before
    story.get_by_role("button", name="Sample both from the same seeds").click()
    expect(story.get_by_text(re.compile(r"linear \(T = 1000.+CLIP: \d+ % bag"))).to_be_visible()
    expect(story.get_by_alt_text(re.compile("class bag.+T = 1000"))).to_be_visible()
    expect(story.get_by_alt_text(re.compile("class bag.+cosine"))).to_be_visible()
    assert story.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("guess", "answer"), [("Fixed", "Not quite"), ("Still broken", "Right")])
def test_a_guess_is_answered_with_the_reason_and_the_images(
    desktop: Page, guess: str, answer: str
) -> None:
    desktop.get_by_role("button", name=guess, exact=True).click()
    expect(desktop.locator("#answer")).to_contain_text(f"{answer}: still broken")
    expect(desktop.locator("#answer")).to_contain_text("36 % of the image's amplitude")
    expect(verdict(desktop)).to_contain_text("36 %")
    expect(desktop.get_by_alt_text(re.compile("ankle boot.+T = 200"))).to_be_visible()
    expect(desktop.get_by_alt_text(re.compile("ankle boot.+cosine"))).to_be_visible()


def test_the_tour_goes_through_five_steps_by_its_buttons_and_by_next(story: Page) -> None:
    tour = story.locator("#tour")
    seen = set()
    for count in (10, 2, 1, 2, 2):
        expect(tour.locator("canvas")).to_have_count(count)
        seen.add(tour.locator(".words").inner_text())
        tour.locator(".next").press("Enter")
    assert len(seen) == 5
    expect(tour.locator("canvas")).to_have_count(10)
    step = tour.get_by_role("button", name="4 What went wrong", exact=True)
    step.tap() if story.evaluate("navigator.maxTouchPoints") else step.click()
    expect(step).to_have_attribute("aria-pressed", "true")
    expect(tour.get_by_text("60 % of the amplitude left")).to_be_visible()
    expect(tour.get_by_role("img", name="pure noise")).to_be_visible()


@pytest.mark.parametrize(("options", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_all_that_opens_bars_nobodys_way(
    browser: Browser, address: str, options: dict[str, Any], scheme: str
) -> None:
    with open_page(browser, f"{address}/?tab=why", color_scheme=scheme, **options) as page:
        page.get_by_role("button", name="Fix: T = 1000", exact=True).click()
        page.get_by_role("button", name="Example: Stable").click()
        page.get_by_role("button", name="4 What went wrong").click()
        expect(page.locator("#schedule-check .repair")).to_be_visible()
        parts = {"include": [["#tour"], ["#explorer"], ["#schedule-check"]]}
        violations = Axe().run(page, context=parts).response["violations"]
    barriers = [
        f"{each['id']}: {[node['target'] for node in each['nodes']]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
    assert not barriers


def test_controls_are_large_enough_and_charts_are_told_to_screen_readers(story: Page) -> None:
    story.get_by_role("button", name="Example: Stable").click()
    for control in story.locator(
        ":is(#tour, #explorer, #schedule-check) :is(button, input, select, textarea)"
    ).all():
        box = box_of(control)
        assert min(box["width"], box["height"]) >= 24, control
        assert control.evaluate(
            "control => control.labels?.length || control.ariaLabel || control.textContent"
        )
    charts = story.locator(":is(#explorer, #schedule-check) svg[role=img]")
    expect(charts).to_have_count(6)
    for chart in charts.all():
        assert re.match("Chart: your .+ .+", str(chart.get_attribute("aria-label")))
