"""Mouse, touch and keyboard gestures for each component, and a record of the requests."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, Request, Response, expect

from fashion_ddpm.server.allowlist import API
from tests.tools import TIMEOUT_S

HEARTBEAT = f"{API}/heartbeat/"
TIMEOUT_MS = int(1000 * TIMEOUT_S)

QUIET_TENTHS = 8
"""Tenths of a second without a request after which the page counts as idle."""

PASSIVE = {
    *("markdown", "label", "nativeplot", "state", "json"),
    *("row", "column", "form", "group", "tabs", "tabitem"),
}
"""Components that take no gesture; any other kind needs a function in GESTURES."""


@dataclass
class Traffic:
    """Requests of a page, and gestures made on it so far.

    Attributes:
        events: indices of the events that it triggered.
        refusals: (status, address, body) of each refused request.
        open_requests: requests without a complete answer.
        gestures: number of gestures made.
    """

    events: set[int] = field(default_factory=set)
    refusals: list[tuple[int, str, str]] = field(default_factory=list)
    open_requests: set[Request] = field(default_factory=set)
    gestures: int = 0

    def watch(self, page: Page) -> None:
        """Record a page's requests."""
        page.on("request", self._began)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)
        page.on("response", self._answered)

    def _began(self, request: Request) -> None:
        if HEARTBEAT not in request.url:
            self.open_requests.add(request)
        asks = f"{API}/queue/join" in request.url or f"{API}/run/" in request.url
        if asks and request.method == "POST":
            self.events.add(json.loads(request.post_data or "{}")["fn_index"])

    def _ended(self, request: Request) -> None:
        self.open_requests.discard(request)

    def _answered(self, response: Response) -> None:
        request = response.request
        if response.status >= 400 and request.method == "POST":
            self.refusals.append((response.status, request.url, str(request.post_data)[:300]))


@dataclass(frozen=True)
class Hands:
    """A visitor with a mouse or a touch screen, and a keyboard.

    Attributes:
        page: the demo.
        traffic: its requests.
        has_touch: whether to tap instead of clicking.
        picture: a picture made by the demo, to upload.
    """

    page: Page
    traffic: Traffic
    has_touch: bool
    picture: Path

    def press(self, target: Locator) -> None:
        """Click or tap."""
        target.scroll_into_view_if_needed()
        target.tap() if self.has_touch else target.click()
        self.traffic.gestures += 1

    def type_in(self, target: Locator, text: str, *keys: str) -> None:
        """Replace the text of a field and press keys."""
        target.fill(text)
        for key in keys:
            target.press(key)
        self.traffic.gestures += 1

    def key(self, target: Locator, *keys: str) -> None:
        """Focus a component and press keys."""
        target.focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.traffic.gestures += 1

    def open(self, tab: str) -> None:
        """Open a tab unless it is open; its button may be in a menu."""
        button = self.page.get_by_role("tab", name=tab, exact=True)
        if button.is_visible() and button.get_attribute("aria-selected") == "true":
            return
        if not button.is_visible():
            self.press(self.page.get_by_role("button", name="More tabs"))
            button = self.page.locator(".overflow-dropdown").get_by_text(tab, exact=True)
        self.press(button)

    def settle(self) -> None:
        """Wait until the page is idle."""
        quiet = 0
        for _ in range(TIMEOUT_MS // 100):
            self.page.wait_for_timeout(100)
            quiet = 0 if self.traffic.open_requests else quiet + 1
            if quiet == QUIET_TENTHS:
                return
        raise TimeoutError(f"still open: {[request.url for request in self.traffic.open_requests]}")


def slider(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Type a number, use keys, click the track and drag the handle."""
    label = props["label"]
    number = container.get_by_label(f"number input for {label}", exact=True)
    track = container.get_by_label(f"range slider for {label}", exact=True)
    if number.is_disabled():
        return
    low = props["minimum"]
    hands.key(track, "End")
    hands.key(track, "Home", "ArrowRight")
    hands.press(track)
    if not hands.has_touch:
        box = track.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        hands.page.mouse.move(box["x"] + box["width"] / 2, middle)
        hands.page.mouse.down()
        for share in (0.6, 0.7, 0.3):
            hands.page.mouse.move(box["x"] + share * box["width"], middle)
        hands.page.mouse.up()
        hands.traffic.gestures += 1
    hands.type_in(number, str(low), "Tab")
    cheap = low + props["step"]
    hands.type_in(number, f"{min(cheap, props['maximum']):g}", "Enter")


def number(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Type a number, leave the field by Tab and by Enter, and count up by a key."""
    entry = container.get_by_label(props["label"], exact=True)
    hands.type_in(entry, "5", "Tab")
    hands.type_in(entry, "7", "Enter")
    hands.key(entry, "ArrowUp")


def dropdown(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Choose by a press, by keys, and by typing and a press; end with the initial value."""
    entry = container.get_by_label(props["label"], exact=True)
    names = [str(shown) for shown, _ in props["choices"]]
    menu = hands.page.locator(f"#{entry.get_attribute('aria-controls')}")  # others may be closing
    hands.press(entry)
    hands.press(menu.get_by_role("option", name=names[-1], exact=True))
    hands.key(entry, "ArrowUp", "Enter")
    hands.settle()
    initial = next(str(shown) for shown, value in props["choices"] if value == props["value"])
    hands.key(entry, "ControlOrMeta+a")
    hands.page.keyboard.type(initial)
    hands.press(menu.get_by_role("option", name=initial, exact=True))
    hands.page.keyboard.press("Tab")
    expect(entry).to_have_value(initial)


def radio(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Press each choice, ending with the first, and use a key."""
    group = container.get_by_role("group", name=props["label"])
    if not group.count():
        group = container
    for _, value in reversed(props["choices"]):
        hands.press(group.locator(f'input[type=radio][value="{value}"]').first)
    hands.key(group.get_by_role("radio").first, "Space")


def checkbox(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Check and uncheck, by a press and by a key."""
    box = container.get_by_label(props["label"], exact=True)
    hands.press(box)
    hands.key(box, "Space")


def button(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Press it, then again by a key before the first answer arrives."""
    target = container.get_by_role("button", name=props["value"], exact=True)
    hands.press(target)
    hands.key(target, "Enter")
    if props["value"] == "Generate grid":  # all of it would take minutes
        expect(container.locator("#sheet .picture:enabled").first).to_be_visible(timeout=TIMEOUT_MS)
    elif props["value"] == "Generate":
        hands.settle()


def gallery(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Press the last picture, then the first by a key."""
    pictures = container.locator(f"#{props['elem_id']} .thumbnail-item")
    if not pictures.count():  # endings are removed when other images are shown
        return
    hands.press(pictures.last)
    hands.settle()
    if pictures.first.is_visible():
        hands.key(pictures.first, "Enter")


def html(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Open a cell of the contact sheet in Create; other tests use what runs in the browser."""
    cell = container.locator("#sheet .picture:enabled").first
    if props.get("elem_id") == "sheet" and cell.count():  # a finger has pressed no button
        hands.press(cell)
        hands.press(container.get_by_role("button", name="Open in Create"))
        hands.settle()


def file(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Upload a picture without settings, then a valid one twice."""
    foreign = hands.picture.with_name("foreign.png")
    Image.new("L", (28, 28)).save(foreign)
    for chosen in (foreign, hands.picture, hands.picture):
        container.locator(f"#{props['elem_id']} input[type=file]").set_input_files(chosen)
        hands.traffic.gestures += 1
        if chosen == foreign:  # the message would stay for ten seconds
            hands.page.locator(".toast-body.error .toast-close").click()
        hands.settle()


def downloadbutton(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Download what it offers."""
    with hands.page.expect_download() as download:
        hands.press(container.get_by_role("button", name=re.compile(re.escape(props["label"]))))
    assert download.value.path().stat().st_size


def imageeditor(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Draw a line, undo it and draw another."""
    canvas = container.locator(".image-container canvas, .pixi-target canvas").last
    canvas.scroll_into_view_if_needed()
    for turn in range(2):
        box = canvas.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        hands.page.mouse.move(x, y - 60)
        hands.page.mouse.down()
        for shift in range(-60, 61, 40):
            hands.page.mouse.move(x, y + shift)
        hands.page.mouse.up()
        hands.traffic.gestures += 1
        if turn == 0:
            hands.press(container.get_by_role("button", name="Undo"))


def image(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Show it in full screen and close it."""
    shown = container.get_by_alt_text(props["alt_text"], exact=True)
    large = (
        container.locator(".image-container").filter(has=shown).get_by_label("View in full screen")
    )
    if large.count():
        hands.press(large.first)
        hands.page.keyboard.press("Escape")


def accordion(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Open it."""
    hands.press(container.get_by_role("button", name=re.compile(f"^{props['label']}")))


def copy_text(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Press its copy buttons."""
    for copy in container.get_by_label(re.compile("copy", re.IGNORECASE)).all():
        if copy.is_visible():
            hands.press(copy)


def dataframe(hands: Hands, container: Locator, props: dict[str, Any]) -> None:
    """Press a cell and a column header."""
    table = container.locator(f"#{props['elem_id']}")
    hands.press(table.get_by_text(re.compile(r"^\d+%$")).filter(visible=True).first)
    hands.press(table.locator("th").filter(visible=True).first)


GESTURES: dict[str, Callable[[Hands, Locator, dict[str, Any]], None]] = {
    "slider": slider,
    "number": number,
    "dropdown": dropdown,
    "radio": radio,
    "checkbox": checkbox,
    "button": button,
    "gallery": gallery,
    "html": html,
    "file": file,
    "downloadbutton": downloadbutton,
    "imageeditor": imageeditor,
    "image": image,
    "accordion": accordion,
    "textbox": copy_text,
    "code": copy_text,
    "dataframe": dataframe,
}


def iterate_blocks(layout: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a block of the page's layout and all its descendants, in order."""
    yield layout
    for child in layout.get("children") or []:
        yield from iterate_blocks(child)


def components_by_tab(config: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Map the label of each tab to its components, in order."""
    components = {each["id"]: each for each in config["components"]}
    return {
        components[tab["id"]]["props"]["label"]: [components[each["id"]] for each in below]
        for tab, *below in map(iterate_blocks, iterate_blocks(config["layout"]))
        if tab["id"] in components and components[tab["id"]]["type"] == "tabitem"
    }


def find_unused_events(config: dict[str, Any], events: set[int]) -> list[int]:
    """Return the events of visible components that were never triggered."""
    hidden = {
        each["id"]
        for each in config["components"]
        if each["props"].get("visible") is False and each["props"].get("elem_id") is None
    }
    return [
        event["id"]
        for event in config["dependencies"]
        if event["backend_fn"]
        and event["id"] not in events
        and not all(target in hidden for target, _ in event["targets"])
    ]
