"""What several tabs need: pictures as components, tables for plots, mistakes as messages."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr
import pandas as pd

from fashion_ddpm.errors import UserError
from fashion_ddpm.trajectory import Trajectory, score_curves

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""On every event that runs the network: visitors take turns."""

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
"""On every event but the one endpoint."""

NOW: dict[str, Any] = {"queue": False, "show_progress": "hidden", **PRIVATE}
"""On every event that is done at once, without the network."""


@contextmanager
def told() -> Iterator[None]:
    """Turns a visitor's mistake into a message on the page."""
    try:
        yield
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from error


def whole(value: Any) -> Any:
    """Turns 20.0, which JSON may make of 20, back into 20; the request judges all the rest."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def picture(alt_text: str, value: Any = None) -> gr.Image:
    """Returns a component for a picture of pixels, which must stay sharp and lossless."""
    return gr.Image(
        value,
        show_label=False,
        format="png",
        interactive=False,
        buttons=["fullscreen"],
        elem_classes="pixels",
        alt_text=alt_text,
    )


def table(rows: Sequence[tuple[Any, ...]], columns: Sequence[str]) -> pd.DataFrame:
    """Returns rows as what a plot takes."""
    return pd.DataFrame(rows, columns=list(columns))


SCORE_COLUMNS = ("percent of the way", "prompt", "score")


def score_table(trajectory: Trajectory) -> pd.DataFrame:
    """Returns an image's scores along its way, for a plot."""
    return table(score_curves(trajectory), SCORE_COLUMNS)


def score_plot(value: pd.DataFrame | None = None) -> gr.LinePlot:
    """Returns a plot of label scores along an image's way."""
    percent, prompt, score = SCORE_COLUMNS
    return gr.LinePlot(
        value,
        x=percent,
        y=score,
        color=prompt,
        x_lim=[0, 100],
        y_lim=[0, 1],
        height=280,
        label="When does it become one? Label scores of the predicted clean image",
    )
