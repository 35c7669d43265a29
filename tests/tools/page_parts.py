"""The components of the page and their events, and what a visitor sees of them."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import ElementHandle, Locator, Page

LOOK_JS = """(own) => {
  const looks = [];
  for (const element of document.querySelectorAll("gradio-app *, body > div *")) {
    if (own?.contains(element) || element.closest(".toast-wrap")) continue;
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    const text = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    looks.push([
      element.tagName, element.currentSrc, element.value, element.checked, element.disabled,
      element.getAttribute("aria-label"), element.getAttribute("aria-selected"),
      element.getAttribute("aria-pressed"), element.getAttribute("d"), element.style?.cssText,
      element instanceof HTMLCanvasElement ? element.toDataURL() : "",
      text.map((node) => node.data.trim()).join(" "),
    ].join("|"));
  }
  return looks.join("\\n");
}"""

RESULTS_JS = """() => [...document.querySelectorAll(
  "img, [data-testid=label-output-value], [data-testid$=confidence-set]"
)].filter((each) => each.checkVisibility()).map((each) => each.currentSrc ?? each.innerText)
  .join("\\n")"""


def look(page: Page, but: Locator | ElementHandle | None = None) -> str:
    """Return what is seen of the page, without an element or the component of a locator."""
    if isinstance(but, Locator):
        but = but.evaluate_handle("(each) => each.closest('.block') ?? each").as_element()
    return str(page.evaluate(LOOK_JS, but))


def results(page: Page) -> str:
    """Return the pictures and scores that are seen."""
    return str(page.evaluate(RESULTS_JS))


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


def buttons_that_take(config: dict[str, Any], component: int) -> list[str]:
    """Return the names of the visible buttons whose events take a component's value."""
    buttons = {
        each["id"]: each["props"]["value"]
        for each in config["components"]
        if each["type"] == "button" and each["props"].get("visible") is True
    }
    return sorted(
        {
            buttons[target]
            for event in config["dependencies"]
            for target, _ in event["targets"]
            if component in event["inputs"] and target in buttons
        }
    )


def has_event(config: dict[str, Any], component: int) -> bool:
    """Return whether the server answers what is done to a component."""
    return any(
        target == component and event["backend_fn"]
        for event in config["dependencies"]
        for target, _ in event["targets"]
    )
