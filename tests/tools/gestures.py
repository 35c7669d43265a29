"""Gestures for each kind of component: of mouse and keyboard, or of a finger.

A gesture function yields the component before its first gesture, and again after each gesture that
must change the page. The first gesture is the cheapest for the gestures that follow.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image
from playwright.sync_api import ElementHandle, Locator, expect

from fashion_ddpm.core.config import TURBO
from tests.tools.hands import TIMEOUT_MS, Hands, stroke
from tests.tools.page_parts import look

Gesture = Callable[[Hands, Locator, dict[str, Any]], Iterator[Locator]]

PASSIVE = {
    *("markdown", "label", "nativeplot", "state", "json"),
    *("row", "column", "form", "tabs", "tabitem"),
}
"""Components that take no gesture; any other kind needs a function in GESTURES."""

CHANGES_OTHERS = {"button", "slider", "number", "dropdown", "radio", "checkbox"}
"""Components that must change something else on the page."""


def slider(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Type a number and press the track; without touch, also use keys and drag the handle."""
    label = props["label"]
    number = container.get_by_label(f"number input for {label}", exact=True)
    track = container.get_by_label(f"range slider for {label}", exact=True)
    low = props["minimum"]
    cheap = f"{min(low + props['step'], props['maximum']):g}"
    yield track
    hands.type_in(number, cheap, "Enter")
    yield track
    hands.press(track)
    yield track
    if not hands.has_touch:
        hands.key(track, "Home")
        yield track
        hands.key(track, "ArrowRight", "ArrowRight")
        yield track
        hands.drag(track, 0.6, 0.7, 0.3)
        yield track
        hands.type_in(number, str(low), "Tab")
        yield track
    hands.type_in(number, cheap, "Enter")
    yield track


def number(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Type a number, leave the field by Tab and by Enter, and count up by a key."""
    entry = container.get_by_label(props["label"], exact=True)
    yield entry
    step = props.get("step") or 1
    first = props["value"] + (-9 if props["value"] == props["maximum"] else 5) * step
    hands.type_in(entry, f"{first:g}", "Tab")
    yield entry
    hands.type_in(entry, f"{first + 2 * step:g}", "Enter")
    yield entry
    hands.key(entry, "ArrowUp")
    yield entry


def dropdown(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Choose by a press; with a keyboard, also by keys, and by typing and a press."""
    if props["label"] == "Schedule for the remaining steps":  # after the last, none are left
        hands.key(hands.page.get_by_label("Step of the trajectory"), "End", *3 * ["ArrowLeft"])
    entry = container.get_by_label(props["label"], exact=True)
    yield entry
    names = [str(shown) for shown, _ in props["choices"]]
    menu = hands.page.locator(f"#{entry.get_attribute('aria-controls')}")  # others may be closing
    unlike = (entry.input_value(), TURBO)  # turbo disables other settings
    pressed = next(name for name in reversed(names) if name not in unlike)
    hands.press(entry)
    hands.press(menu.get_by_role("option", name=pressed, exact=True))
    yield entry
    if hands.has_touch:
        return
    hands.key(entry, "ArrowUp", "Enter")
    yield entry
    typed = next(name for name in names if name not in (pressed, entry.input_value()))
    hands.key(entry, "ControlOrMeta+a")
    hands.page.keyboard.type(typed)
    hands.press(menu.get_by_role("option", name=typed, exact=True))
    hands.page.keyboard.press("Tab")
    expect(entry).to_have_value(typed)
    yield entry


def radio(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Press each choice, then use a key."""
    group = container.get_by_role("group", name=props["label"])
    if not group.count():
        group = container
    yield group.get_by_role("radio").first
    for _, value in sorted(props["choices"], key=lambda choice: choice[1] == props["value"]):
        option = group.locator(f'input[type=radio][value="{value}"]').first
        if not option.is_checked():
            hands.press(option)
            yield option
    hands.key(option, "ArrowLeft")
    yield option


def checkbox(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Check it by a press; uncheck it by a key."""
    box = container.get_by_label(props["label"], exact=True)
    yield box
    hands.press(box)
    yield box
    hands.key(box, "Space")


def button(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Press it, then again by a key before the first answer arrives."""
    target = container.get_by_role("button", name=props["value"], exact=True)
    yield target
    hands.press(target)
    if props["value"] == "Stop":  # changes nothing while nothing runs
        return
    hands.key(target, "Enter")
    if props["value"] == "Generate grid":  # all of it would take minutes
        expect(container.locator("#sheet .picture:enabled").first).to_be_visible(timeout=TIMEOUT_MS)
        hands.press(container.get_by_role("button", name="Stop", exact=True))
    yield target


def gallery(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Press the last picture, then, with a keyboard, the first by a key."""
    pictures = container.locator(f"#{props['elem_id']} .thumbnail-item")
    if not pictures.count():  # endings are removed when other images are shown
        return
    yield pictures.first
    hands.press(pictures.last)
    yield pictures.first
    hands.settle()
    if pictures.first.is_visible() and not hands.has_touch:
        hands.key(pictures.first, "Enter")
        yield pictures.first


def html(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Use each control that runs in the browser, and check what it changes."""
    root = hands.page.locator(f"#{props['elem_id']}")  # a gesture may leave its tab
    if props["elem_id"] in WITH_SERVER:
        yield from WITH_SERVER[props["elem_id"]](hands, root)
        return
    waiting: list[ElementHandle] = []  # they had no effect yet: chosen already
    for control in root.element_handle().query_selector_all(
        "button, input, select:not(.speed), textarea"  # nothing plays yet
    ):
        if not control.is_visible() or control.is_disabled() or control.evaluate(IS_ONLY_CHOICE_JS):
            continue
        if use_control(hands, control):
            waiting = [each for each in waiting if not use_control(hands, each)]
        else:
            waiting.append(control)
    assert not waiting, f"{waiting[0].evaluate(OUTER_HTML_JS)} changes nothing"


IS_ONLY_CHOICE_JS = (
    """(each) => each.ariaPressed === "true" && each.parentElement.childElementCount === 1"""
)

OUTER_HTML_JS = "(each) => each.cloneNode(true).outerHTML"


def use_control(hands: Hands, control: ElementHandle) -> bool:
    """Use a control of HTML; return whether the rest of the page changed."""
    before = look(hands.page, but=control)
    kind = control.evaluate("(each) => each.type ?? each.tagName")
    if kind == "range":
        hands.key(
            control,
            "Home"
            if control.evaluate("(each) => each.valueAsNumber > Number(each.min)")
            else "End",
        )
    elif kind == "number":
        hands.type_in(control, "0.5", "Tab")
    elif kind == "select-one":
        control.select_option(index=0)
        control.select_option(index=1)
    elif kind == "textarea":
        hands.type_in(control, "0.1, 0.2")
    elif kind == "radio":
        hands.press(control.query_selector("xpath=..") or control)  # its label
    else:
        hands.press(control)
        if control.inner_text() == "Pause":
            hands.press(control)
    hands.settle()
    changed = look(hands.page, but=control) != before
    if control.get_attribute("data-opens-tab"):
        hands.page.go_back()
    return changed


def sheet(hands: Hands, root: Locator) -> Iterator[Locator]:
    """Enlarge a cell of the contact sheet, then open it in Create."""
    cell = root.locator(".picture:enabled").first
    if cell.count():  # a finger has pressed no button
        hands.press(cell)
        yield root
        hands.press(root.get_by_role("button", name="Open in Create"))
        yield root


def file(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Upload a picture without settings, then a valid one twice."""
    entry = container.locator(f"#{props['elem_id']} input[type=file]")
    foreign = hands.picture.with_name("foreign.png")
    Image.new("L", (28, 28)).save(foreign)
    yield entry
    entry.set_input_files(foreign)
    hands.page.locator(".toast-body.error .toast-close").click()  # it would stay ten seconds
    hands.settle()
    assert hands.messages("error")
    entry.set_input_files(hands.picture)
    yield entry
    entry.set_input_files(hands.picture)


def downloadbutton(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Download what it offers."""
    target = container.get_by_role("button", name=re.compile(re.escape(props["label"])))
    yield target
    with hands.page.expect_download() as download:
        hands.press(target)
    assert download.value.path().stat().st_size


def sketch_pad(hands: Hands, root: Locator) -> Iterator[Locator]:
    """Start from each silhouette, draw with each brush and a wider one, undo and clear."""
    canvas = root.locator("canvas")
    yield root
    for silhouette in root.locator(".silhouettes button").all():
        hands.press(silhouette)
        yield root
    for number, brush in enumerate(root.locator(".inks button").all()[::-1]):
        hands.press(brush)
        stroke(canvas, 0.4 + 0.1 * number)
        yield root
    hands.key(root.get_by_label("Width"), "End")
    stroke(canvas, 0.2)
    yield root
    for name in ("Undo", "Clear"):
        hands.press(root.get_by_role("button", name=name))
        yield root
    stroke(canvas)
    yield root


def image(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Show it in full screen and close it."""
    shown = container.get_by_alt_text(props["alt_text"], exact=True)
    large = container.locator(".image-container").filter(has=shown).get_by_label("Fullscreen")
    if large.count():
        yield large.first
        hands.press(large.first)
        yield large.first
        hands.page.keyboard.press("Escape")


def accordion(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Open it."""
    target = container.get_by_role("button", name=re.compile(f"^{props['label']}"))
    yield target
    hands.press(target)
    yield target


def copy_text(hands: Hands, container: Locator, props: dict[str, Any]) -> Iterator[Locator]:
    """Press the copy buttons of the tab."""
    buttons = container.get_by_label(re.compile("copy", re.IGNORECASE)).filter(visible=True)
    expect(buttons).not_to_have_count(0)
    for copy in buttons.all():
        hands.page.evaluate("navigator.clipboard.writeText('')")
        hands.press(copy)
        hands.page.wait_for_function("async () => await navigator.clipboard.readText()")
    yield from ()


WITH_SERVER = {"sheet": sheet, "sketch-pad": sketch_pad}
"""HTML of which the server answers gestures."""

GESTURES: dict[str, Gesture] = {
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
    "image": image,
    "accordion": accordion,
    "textbox": copy_text,
    "code": copy_text,
}
