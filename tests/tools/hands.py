"""A visitor with a mouse or a touch screen and a keyboard, and a record of the requests."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Download, ElementHandle, Locator, Page, Request, Response

from fashion_ddpm.server.allowlist import API
from tests.tools import TIMEOUT_S

HEARTBEAT = f"{API}/heartbeat/"
TIMEOUT_MS = int(1000 * TIMEOUT_S)

Target = Locator | ElementHandle

NOTE_MESSAGES_JS = """
window.messages = {error: [], warning: []};
new MutationObserver((changes) => {
  for (const added of changes.flatMap(({addedNodes}) => [...addedNodes]))
    for (const [kind, texts] of Object.entries(window.messages)) {
      const message = `.toast-body.${kind}`;
      if (added.closest?.(message) || added.querySelector?.(message)) texts.push(added.innerText);
    }
}).observe(document, {childList: true, subtree: true});"""
"""Script of a page that notes its messages, which gradio hides after ten seconds."""

WAIT_FOR_IDLE_JS = "() => new Promise((done) => requestIdleCallback(done, {timeout: 1000}))"
"""JavaScript: waits until the page has nothing to run, also on a busy machine."""

POLL_MS = 50
QUIET_POLLS = 3
"""Polls in a row without a request after which the page counts as idle."""


@dataclass
class Traffic:
    """Requests of a page, and gestures made on it so far.

    Attributes:
        events: indices of the events that it triggered.
        refusals: (status, address, body) of each refused request.
        open_requests: requests without a complete answer.
        gestures: number of gestures made.
        downloads: number of files that it saved.
    """

    events: set[int] = field(default_factory=set)
    refusals: list[tuple[int, str, str]] = field(default_factory=list)
    open_requests: set[Request] = field(default_factory=set)
    gestures: int = 0
    downloads: int = 0

    def watch(self, page: Page) -> None:
        """Record a page's requests."""
        page.on("request", self._began)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)
        page.on("response", self._answered)
        page.on("download", self._saved)

    def _began(self, request: Request) -> None:
        if HEARTBEAT not in request.url:
            self.open_requests.add(request)
        asks = f"{API}/queue/join" in request.url or f"{API}/run/" in request.url
        if asks and request.method == "POST":
            self.events.add(json.loads(request.post_data or "{}")["fn_index"])

    def _ended(self, request: Request) -> None:
        self.open_requests.discard(request)

    def _saved(self, _: Download) -> None:
        self.downloads += 1

    def _answered(self, response: Response) -> None:
        request = response.request
        if response.status >= 400 and request.method == "POST":
            self.refusals.append((response.status, request.url, str(request.post_data)[:300]))

    def settle(self, page: Page) -> None:
        """Wait until a page has had no open request, and nothing to run, for a while."""
        quiet = 0
        for _ in range(TIMEOUT_MS // POLL_MS):
            page.wait_for_timeout(POLL_MS)
            page.evaluate(WAIT_FOR_IDLE_JS)
            quiet = 0 if self.open_requests else quiet + 1
            if quiet == QUIET_POLLS:
                return
        raise TimeoutError(f"still open: {[request.url for request in self.open_requests]}")


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

    def press(self, target: Target) -> None:
        """Click or tap."""
        target.scroll_into_view_if_needed()
        target.tap() if self.has_touch else target.click()
        self.traffic.gestures += 1

    def type_in(self, target: Target, text: str, *keys: str) -> None:
        """Replace the text of a field and press keys."""
        target.fill(text)
        for key in keys:
            target.press(key)
        self.traffic.gestures += 1

    def key(self, target: Target, *keys: str) -> None:
        """Focus a component and press keys."""
        target.focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.traffic.gestures += 1

    def drag(self, track: Locator, *shares: float) -> None:
        """Drag the handle of a slider from its middle to places along its track."""
        track.scroll_into_view_if_needed()
        box = track.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + box["width"] / 2, middle)
        self.page.mouse.down()
        for share in shares:
            self.page.mouse.move(box["x"] + share * box["width"], middle)
        self.page.mouse.up()
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
        self.settle()  # some components are loaded when they are first seen

    def messages(self, kind: str) -> list[str]:
        """Return the messages of a kind, "error" or "warning", since the last call."""
        return list(self.page.evaluate("(kind) => window.messages[kind].splice(0)", kind))

    def settle(self) -> None:
        """Wait until the page is idle."""
        self.traffic.settle(self.page)


def stroke(canvas: Locator, x: float = 0.5) -> None:
    """Draw a line from above to below, with a finger where the page has touch.

    Args:
        canvas: where to draw.
        x: the place of the line, as a share of the width.
    """
    page = canvas.page
    canvas.evaluate("canvas => canvas.scrollIntoView({block: 'center'})")
    box = canvas.bounding_box()
    assert box is not None
    left = box["x"] + x * box["width"]
    places = [(left, box["y"] + share * box["height"]) for share in (0.2, 0.4, 0.6, 0.8)]
    if page.evaluate("navigator.maxTouchPoints"):
        session = page.context.new_cdp_session(page)
        for kind, place in zip(["touchStart", *["touchMove"] * 3], places, strict=True):
            points = [{"x": place[0], "y": place[1]}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    else:
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()
