"""Uses the page's controls, and checks that each gesture changes the page."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator

from tests.tools.gestures import CHANGES_OTHERS, GESTURES, PASSIVE
from tests.tools.hands import Hands
from tests.tools.page_parts import buttons_that_take, has_event, look, results

SLOW_BUTTONS = {"Generate grid"}
"""Buttons that would take minutes; what they take changes the page by itself."""

PRESETS = ("Turbo · 4", "Fast · 6", "Balanced · 10", "Best · 20")
FIRST = ("sketch-pad", *PRESETS, "Steps", "Number of images")
"""Used before the others: settings of the sketch need one, and these sliders end at low numbers."""

ALIKE = {"dropdown", "number", "radio", "slider"}
"""Kinds of gradio's components for which each gesture causes the same events."""

SAME_BY_FINGER = {"button", "checkbox", "downloadbutton", "file", "number", "radio"}
"""Components for which a tap causes the same events as a click."""


@dataclass
class Controls:
    """The controls of a page, used one after the other.

    Attributes:
        hands: the visitor.
        config: gradio's description of the page.
        used: number of components used.
        pressed: names of the buttons that were pressed to see what a setting changes.
        known: kinds of components that were used; of another of these, one gesture is made.
    """

    hands: Hands
    config: dict[str, Any]
    used: int = 0
    pressed: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

    def use_all(self, tab: str, components: list[dict[str, Any]]) -> None:
        """Use a tab's components: first those that are visible at once."""
        unknown = {each["type"] for each in components} - PASSIVE - set(GESTURES)
        assert not unknown, f"tests/tools/gestures.py knows no gesture for {unknown}"
        components.sort(key=_turn)
        later = [each for each in components if each["props"].get("visible") is False]
        now = [each for each in components if each not in later]
        for component in [*now, *(each for each in later if each["props"].get("elem_id"))]:
            if component["type"] not in GESTURES or component["props"].get("visible") == "hidden":
                continue
            if self.hands.has_touch and component["type"] in SAME_BY_FINGER:
                continue
            self.hands.open(tab)
            self.use(component)
            self.used += 1
        self.hands.settle()

    def use(self, component: dict[str, Any]) -> None:
        """Make gestures on a component, and check that each has an effect."""
        kind, props = component["type"], component["props"]
        gestures = GESTURES[kind](self.hands, self._panel(), props)
        own = next(gestures, None)
        if own is None:
            return
        seen = self._observe(component, own)
        for own in gestures:
            self.hands.settle()
            before, seen = seen, self._observe(component, own)
            name = props.get("elem_id") or props.get("label") or props.get("value")
            is_seen_already = kind == "button" and props["value"] in self.pressed
            assert seen != before or is_seen_already, f"{kind} {name!r} changes nothing"
            assert not self.hands.messages("error")
            if kind in ALIKE & self.known:
                break
        self.known.add(kind)

    def _panel(self) -> Locator:
        return self.hands.page.locator("[role=tabpanel]").filter(visible=True).last

    def _observe(self, component: dict[str, Any], own: Locator) -> str:
        """Return what a gesture must change: results of a button, files saved, the rest."""
        page = self.hands.page
        buttons = [
            each
            for each in buttons_that_take(self.config, component["id"])
            if each not in SLOW_BUTTONS
        ]
        for name in buttons:
            self.hands.press(self._panel().get_by_role("button", name=name, exact=True))
            self.hands.settle()
            self.pressed.add(name)
        if buttons:
            return f"{results(page)}\n{self.hands.messages('warning')}"
        only_selects = component["props"].get("allow_preview") is False  # a gallery
        is_setting = component["type"] in CHANGES_OTHERS
        excludes_itself = is_setting or only_selects or has_event(self.config, component["id"])
        return f"{look(page, own if excludes_itself else None)}\n{self.hands.traffic.downloads}"


def _turn(component: dict[str, Any]) -> int:
    """Return when a component is used: its index in FIRST, or after all of those."""
    props = component["props"]
    name = props.get("elem_id") or props.get("label") or props.get("value")
    return FIRST.index(name) if name in FIRST else len(FIRST)
