"""Parts that several tabs share: event options, error messages, pictures and plots."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.requests import PAGE_LABELS
from fashion_ddpm.demo.engine import Demo, StepWrapper
from fashion_ddpm.server.monitoring import INTERNAL_ERROR, StoppedError

MODEL_QUEUE: dict[str, Any] = {"concurrency_id": "model"}
"""For events that run the network: they share one queue, which bounds how many run at once."""

NO_API: dict[str, Any] = {"api_visibility": "private"}
"""For all events but the endpoint for programs."""

RAW_INPUTS: dict[str, Any] = {"preprocess": False}
"""For events without files: the request checks the values as they were sent, so that the page, a
program and a language model get the same message."""

NO_QUEUE: dict[str, Any] = {"queue": False, "show_progress": "hidden", **NO_API}
"""For events that are instant and cannot fail: without a queue, gradio shows no errors and may
answer two simultaneous events in any order."""

SERIAL_QUEUE: dict[str, Any] = {"concurrency_limit": 1, "show_progress": "hidden", **NO_API}
"""For other events that do not run the network: errors are shown, and answers come in order."""

ALWAYS_LAST: dict[str, Any] = {"trigger_mode": "always_last"}
"""For events that may fire again while they are answered: gradio then repeats them with the newest
values, instead of dropping them."""

EVERY_CLICK: dict[str, Any] = {**SERIAL_QUEUE, **RAW_INPUTS, "trigger_mode": "multiple"}
"""For clicks on pictures, none of which may be dropped."""

LATEST_VALUES: dict[str, Any] = {**SERIAL_QUEUE, **RAW_INPUTS, **ALWAYS_LAST}
"""For events that explain the newest values without running the network."""

LATEST_RUN: dict[str, Any] = {**MODEL_QUEUE, **NO_API, **RAW_INPUTS, **ALWAYS_LAST}
"""For events that run the network on the newest values."""


def read_asset(name: str) -> str:
    """Return a file of ui/assets: browser code or a style sheet."""
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")


IMPORT = re.compile(r'^import {[\w,\s]+} from "\./(\w+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:class|const|function) )", re.MULTILINE)


def read_script(name: str) -> str:
    """Return a module of ui/assets as one script, after the modules that it imports.

    Gradio runs a component's code as the body of a function, where nothing can be imported.
    """
    texts: dict[str, str] = {}

    def add(module: str) -> None:
        code = read_asset(module)
        for imported in IMPORT.findall(code):
            if imported not in texts:
                add(imported)
        texts[module] = EXPORT.sub("", IMPORT.sub("", code))

    add(name)
    return "".join(texts.values())


def browser_html(
    value: Any,
    name: str,
    *,
    template: str | None = None,
    styles: Sequence[str] = (),
    **options: Any,
) -> gr.HTML:
    """Return a component that runs in the browser.

    Args:
        value: what its code reads as `props.value`.
        name: its assets are NAME.html, NAME.css and NAME.js.
        template: HTML instead of NAME.html.
        styles: names of other style sheets, which come before its own.
        options: other arguments of gr.HTML; unknown ones are for its code, too.
    """
    return gr.HTML(
        value,
        html_template=read_asset(f"{name}.html") if template is None else template,
        css_template="".join(map(read_asset, (*styles, f"{name}.css"))),
        js_on_load=read_script(f"{name}.js"),
        apply_default_css=False,
        **options,
    )


@contextmanager
def report_errors(names: Mapping[str, str] = PAGE_LABELS) -> Iterator[None]:
    """Turn exceptions into errors that the page or the program shows, except StoppedError.

    Args:
        names: field of a request → its name in messages.
    """
    try:
        yield
    except (StoppedError, gr.Error):
        raise
    except UserError as error:
        raise gr.Error(error_message(error, names), print_exception=False) from error
    except Exception as error:
        raise gr.Error(INTERNAL_ERROR) from error


SHOW_AND_GENERATE = """() => {
  window.scrollTo({top: 0});
  const button = document.querySelector("#generate");
  button.disabled = false;  // a run with other settings may be under way
  button.click();
}"""
"""JavaScript: scrolls to the top and generates."""

NO_MARKUP = str.maketrans("<>&", "‹›＆")
"""Gradio shows messages as HTML."""

IMAGES_GONE = "These images are no longer kept here: generate them again."
"""Message where the server was restarted, or the pictures deleted, since the page was loaded."""


def error_message(error: UserError, names: Mapping[str, str] = PAGE_LABELS) -> str:
    """Return an error's message without markup, with these names of settings."""
    text = error.format_message(names).translate(NO_MARKUP)
    return text[:1].upper() + text[1:] if names is PAGE_LABELS else text


@contextmanager
def monitor_request(
    demo: Demo, operation: str, names: Mapping[str, str] = PAGE_LABELS
) -> Iterator[StepWrapper]:
    """Count a request that runs the network, limit its time, and report its errors."""
    with report_errors(names), demo.monitor.track_request(operation) as attempt:
        yield attempt.wrap_steps


def as_int(value: Any) -> Any:
    """Return 20.0, which JSON may make of 20, as 20, and anything else unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def picture(alt_text: str, value: Any = None, elem_id: str | None = None) -> gr.Image:
    """Return a component that keeps pixels sharp and lossless; hidden without a value."""
    return gr.Image(
        value,
        visible=value is not None,
        show_label=False,
        format="png",
        interactive=False,
        buttons=["fullscreen"],
        elem_id=elem_id,
        elem_classes="pixels",
        alt_text=alt_text,
    )


def picture_gallery(
    value: Any, columns: int, elem_id: str, selected: int | None = None
) -> gr.Gallery:
    """Return a gallery of such pictures; hidden without a value.

    Args:
        value: the pictures.
        columns: how many stand in a row.
        elem_id: unique on the page.
        selected: the picture that is selected at first; without it, a click enlarges.
    """
    return gr.Gallery(
        value,
        visible=value is not None,
        show_label=False,
        format="png",
        columns=columns,
        selected_index=selected,
        height="auto",
        object_fit="contain",
        interactive=False,
        allow_preview=selected is None,
        buttons=[],
        elem_id=elem_id,
        elem_classes="pixels",
    )


def show_value(value: Any, **options: Any) -> Any:
    """Return an update that shows a picture or a gallery; gradio applies the options first."""
    return gr.update(**options, value=value, visible=True)


def hide_value() -> Any:
    """Return an update that empties a picture or a gallery and hides it."""
    return gr.update(value=None, visible=False)


def line_plot(
    rows: Sequence[tuple[Any, ...]],
    columns: Sequence[str],
    colours: Mapping[str, str],
    **options: Any,
) -> gr.LinePlot:
    """Return a plot whose set of lines is fixed, as gradio has no colours for new ones.

    Args:
        rows: points.
        columns: names of the columns for x, the line's name and y.
        colours: line → colour; the caller explains them in text, as gradio clips legends.
        options: other arguments of gr.LinePlot.
    """
    x, line, y = columns
    return gr.LinePlot(
        pd.DataFrame(rows, columns=list(columns)),
        x=x,
        y=y,
        color=line,
        color_map=dict(colours),
        colors_in_legend=[],
        show_label=False,  # gradio leaves no room for it
        **options,
    )
