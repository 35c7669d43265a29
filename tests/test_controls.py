"""Tests of every control with mouse, touch and keyboard: the page changes accordingly."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Browser, Page, expect

from fashion_ddpm.core.config import SAMPLERS, TURBO
from tests.tools.browsing import DESKTOP, PHONE, generate, open_page, save_picture
from tests.tools.controls import Controls
from tests.tools.hands import NOTE_MESSAGES_JS, Hands, Traffic
from tests.tools.page_parts import components_by_tab, find_unused_events

pytestmark = pytest.mark.slow


STILL: dict[str, Any] = {"reduced_motion": "reduce"}
"""Options of a page where nothing plays by itself, which would count as a change."""

TAKE_EVENTS_JS = """((label) => {
  let config;
  Object.defineProperty(window, "gradio_config", {
    get: () => config,
    set: (given) => {
      const hasLabel = ({props}) => [props.label, props.value, props.elem_id].includes(label);
      const {id} = given.components.find(hasLabel);
      given.dependencies = given.dependencies.filter(
        ({targets}) => !targets.some(([target]) => target === id)
      );
      config = given;
    },
  });
})"""


@pytest.fixture
def page(browser: Browser, quick_address: str) -> Iterator[Page]:
    with open_page(browser, quick_address) as page:
        yield page


def meet(page: Page, folder: Path, has_touch: bool) -> Controls:
    """Return the controls of a page that was just opened, and a visitor to use them."""
    traffic = Traffic()
    traffic.watch(page)
    page.add_init_script(NOTE_MESSAGES_JS)
    page.reload()
    expect(page.locator("#gallery img")).to_have_count(10)
    hands = Hands(page, traffic, has_touch, save_picture(page, 3, folder / "dress.png"))
    hands.settle()
    return Controls(hands, page.evaluate("window.gradio_config"))


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["mouse", "finger"])
def test_every_control_changes_the_page(
    browser: Browser, quick_address: str, tmp_path: Path, screen: dict[str, Any]
) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    with open_page(browser, quick_address, permissions=permissions, **STILL, **screen) as page:
        controls = meet(page, tmp_path, "has_touch" in screen)
        for tab, components in components_by_tab(controls.config).items():
            controls.use_all(tab, components)
        traffic = controls.hands.traffic
        assert not traffic.refusals
        if screen is DESKTOP:
            assert not find_unused_events(controls.config, traffic.events)
        print(f"{controls.used} components, {traffic.gestures} gestures")


@pytest.mark.parametrize(
    ("tab", "label", "taken"),
    [
        ("Create", "Seed", "Generate"),
        ("Create", "Turbo · 4", "Turbo · 4"),
        ("Create", "gallery", "gallery"),
        ("Compare", "First seed", "First seed"),
        ("Play", "Blend", "Blend"),
    ],
)
def test_a_control_that_lost_its_handler_is_noticed(
    browser: Browser, quick_address: str, tmp_path: Path, tab: str, label: str, taken: str
) -> None:
    with open_page(browser, quick_address, **STILL, **DESKTOP) as page:
        page.add_init_script(f"({TAKE_EVENTS_JS})({json.dumps(taken)})")
        controls = meet(page, tmp_path, has_touch=False)
        component = next(
            each
            for each in components_by_tab(controls.config)[tab]
            if label in map(each["props"].get, ("label", "value", "elem_id"))
        )
        controls.hands.open(tab)
        with pytest.raises(AssertionError, match="changes nothing"):
            controls.use(component)


def test_extreme_settings_are_drawn(page: Page) -> None:
    for steps, images, guidance in ((1, 10, 1), (2, 16, 1), (100, 1, 1), (2, 2, 10)):
        entered = {"Steps": steps, "Number of images": images, "Guidance": guidance}
        generate(page, **{name: str(value) for name, value in entered.items()})
        plural = "s" if images > 1 else ""
        expect(page.locator("#status")).to_contain_text(f"{images} image{plural} in")
        expect(page.locator("#status")).to_contain_text(f" {steps} step")
        expect(page.locator("#gallery img")).to_have_count(images)


def test_every_schedule_and_sampler_is_drawn(page: Page) -> None:
    generate(page, **{"Steps": "2", "Number of images": "2"})
    for schedule in page.locator("#schedule-menu input").all():
        schedule.check(force=True)
        generate(page)
        expect(page).to_have_url(re.compile(f"schedule={schedule.get_attribute('value')}&"))
    entry = page.get_by_label("Sampler", exact=True)
    for name in (*SAMPLERS, TURBO):
        entry.click()
        page.get_by_role("option", name=name, exact=True).click()
        generate(page)
        expect(page).to_have_url(re.compile(f"sampler={re.escape(quote_plus(name))}&"))
        expect(page.locator("#gallery img")).to_have_count(2)
