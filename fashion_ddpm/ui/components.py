"""What several tabs need: pictures as components, tables for plots, mistakes as messages."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr
import pandas as pd

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.requests import PAGE_LABELS
from fashion_ddpm.demo.engine import Demo, StepWrapper
from fashion_ddpm.server.monitoring import NOT_YOUR_FAULT, StoppedError

MODEL_QUEUE: dict[str, Any] = {"concurrency_id": "model"}
"""On every event that runs the network: together no more of them at once than the queue lets in."""

NO_API: dict[str, Any] = {"api_visibility": "private"}
"""On every event but the one endpoint."""

RAW_INPUTS: dict[str, Any] = {"preprocess": False}
"""On every event without files: its handler's request checks the values that were sent, so that
the page, a program and a language model read the same sentence."""

NO_QUEUE: dict[str, Any] = {"queue": False, "show_progress": "hidden", **NO_API}
"""On every event that is done at once and cannot fail: gradio shows no error of such a one, and may
answer two that come at the same time in any order."""

SERIAL_QUEUE: dict[str, Any] = {"concurrency_limit": 1, "show_progress": "hidden", **NO_API}
"""On every other event without the network: queued, one at a time, so that mistakes are shown and
the last event has the page."""

ALWAYS_LAST: dict[str, Any] = {"trigger_mode": "always_last"}
"""On every event that may come again while it is answered: gradio asks once more afterwards, with
the values of that time, where it would otherwise drop the event."""

EVERY_CLICK: dict[str, Any] = {**SERIAL_QUEUE, **RAW_INPUTS, "trigger_mode": "multiple"}
"""On clicks on pictures, none of which may be dropped; queued as SERIAL_QUEUE is."""

LATEST_VALUES: dict[str, Any] = {**SERIAL_QUEUE, **RAW_INPUTS, **ALWAYS_LAST}
"""On events that explain the newest values, without the network."""

LATEST_RUN: dict[str, Any] = {**MODEL_QUEUE, **NO_API, **RAW_INPUTS, **ALWAYS_LAST}
"""On events that run the network on the newest values."""


@contextmanager
def report_errors(names: Mapping[str, str] = PAGE_LABELS) -> Iterator[None]:
    """Turn a mistake, whoever made it, into a message that is text and never markup.

    Args:
        names: what settings are called by whoever made it; the page's names when not given.
    """
    try:
        yield
    except StoppedError:
        raise
    except UserError as error:
        raise gr.Error(error_message(error, names), print_exception=False) from error
    except gr.Error:
        raise
    except Exception as error:
        raise gr.Error(NOT_YOUR_FAULT) from error


SHOW_AND_GENERATE = """() => {
  window.scrollTo({top: 0});
  document.querySelector("#generate").click();
}"""
"""In the browser: draws with settings that came from elsewhere on the page."""

NO_MARKUP = str.maketrans("<>&", "‹›＆")

IMAGES_GONE = "These images are no longer kept here: draw them again."
"""Said when a page outlived its server, or its server's pictures."""


def error_message(error: UserError, names: Mapping[str, str] = PAGE_LABELS) -> str:
    """Return what a mistake is, as text that is never markup, with the names of settings."""
    text = error.format_message(names).translate(NO_MARKUP)
    return text[:1].upper() + text[1:] if names is PAGE_LABELS else text


@contextmanager
def monitor_request(
    demo: Demo, operation: str, names: Mapping[str, str] = PAGE_LABELS
) -> Iterator[StepWrapper]:
    """Count a request that runs the network, limit its time, and tell its mistakes."""
    with report_errors(names), demo.monitor.request(operation) as attempt:
        yield attempt.watch


def as_int(value: Any) -> Any:
    """Turn 20.0, which JSON may make of 20, back into 20; the request checks all the rest."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def slider_position(value: Any, count: int) -> int | None:
    """Return where a slider from 1 to count stands; None while its number field is empty.

    The field takes any number; gradio brings it into range only when the field is left.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(min(max(1, value), count) + 0.5)


def picture(alt_text: str, value: Any = None, elem_id: str | None = None) -> gr.Image:
    """Return a component for a picture of pixels, which must stay sharp and lossless.

    Without a value it is hidden: fill it with `show_value`.
    """
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
    value: Any, columns: int, elem_id: str, download: bool = True, selected: int | None = None
) -> gr.Gallery:
    """Return a component for several pictures of pixels; a click selects and enlarges nothing.

    Without a value it is hidden: fill it with `show_value`.
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
        allow_preview=False,
        buttons=["download_all"] if download else [],
        elem_id=elem_id,
        elem_classes="pixels",
    )


def show_value(value: Any, **options: Any) -> Any:
    """Put a value into a picture or a gallery, and show it; the options come first."""
    return gr.update(**options, value=value, visible=True)


def hide_value() -> Any:
    """Take the value out of a picture or a gallery, and hide it."""
    return gr.update(value=None, visible=False)


def table(rows: Sequence[tuple[Any, ...]], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as what a plot takes."""
    return pd.DataFrame(rows, columns=list(columns))


def line_plot(
    value: pd.DataFrame | None, columns: Sequence[str], colours: Mapping[str, str], **options: Any
) -> gr.LinePlot:
    """Return a plot of lines whose names never change (Gradio forgets colours of new names).

    Args:
        value: the table.
        columns: names of the columns for x, the line and y.
        colours: line → colour; the caller's text says which is which, for Gradio clips legends.
        options: what else gr.LinePlot takes.
    """
    x, line, y = columns
    return gr.LinePlot(
        value,
        x=x,
        y=y,
        color=line,
        color_map=dict(colours),
        colors_in_legend=[],
        show_label=False,  # gradio leaves no room for it
        **options,
    )
