"""The second tab: a contact sheet of the same seeds under many settings."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from fashion_ddpm.contact_sheet import STEP_COUNTS, axes, cells, orders
from fashion_ddpm.demo import Demo
from fashion_ddpm.request import MAX_SEED, GenerateRequest, check_whole
from fashion_ddpm.supervision import StoppedError
from fashion_ddpm.ui import current_run
from fashion_ddpm.ui.controls import Controls, default_request, shown_settings
from fashion_ddpm.ui.current_run import CurrentRun
from fashion_ddpm.ui.parts import (
    IN_ORDER,
    NOW,
    SHOW_AND_GENERATE,
    attended,
    filled,
    picture_gallery,
    told,
    whole,
)

INTRODUCTION = f"""The same eight seeds in every cell, {", ".join(map(str, STEP_COUNTS))} steps from
left to right. Under each cell: the score of what was asked for, and the time it took here. Click a
cell to draw it in Create."""


class Handlers:
    """What happens on the tab's events."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    def draw(
        self, current: CurrentRun, number: int, class_name: str, axis: str, seed: float
    ) -> Iterator[tuple[Any, ...]]:
        """Yields the sheet as it grows, a line on progress, and what each cell asked for."""
        status = "nothing was drawn"
        try:
            with attended(self.demo, "sheet") as watch:
                wanted = orders(self.demo, class_name, whole(seed), axis)
                requests = [order.request for order in wanted]
                pictures: list[tuple[Any, str]] = []
                for cell in cells(self.demo, wanted, current.watch(number, watch)):
                    current.check(number)
                    pictures.append((cell.picture, cell.caption))
                    status = f"{len(pictures)} of {len(requests)} cells"
                    yield filled(pictures), status, requests
        except StoppedError:
            said = f"Stopped: {status}." if current.says_so(number) else gr.skip()
            yield gr.skip(), said, gr.skip()

    @staticmethod
    def open(requests: list[GenerateRequest], event: gr.SelectData) -> tuple[Any, ...]:
        """Sends a cell's settings to the first tab, with those that are not in view unfolded."""
        with told():
            check_whole("cell", event.index, 0, len(requests) - 1)
            settings = shown_settings(requests[event.index])
            return gr.Tabs(selected="create"), gr.Accordion(open=True), *settings


def build(demo: Demo, tabs: gr.Tabs, create: Controls) -> None:
    """Lays the tab out."""
    handlers = Handlers(demo)
    gr.Markdown(INTRODUCTION)
    with gr.Row():
        names = list(demo.kind.class_names)
        first = default_request(demo).class_name
        class_name = gr.Dropdown(names, value=first, label=demo.kind.noun.capitalize())
        axis = gr.Radio(axes(demo), value="schedule", label="Rows")
        seed = gr.Number(0, label="First seed", minimum=0, maximum=MAX_SEED)
    with gr.Row():
        draw = gr.Button("Draw the sheet", variant="primary")
        stop = gr.Button("Stop the sheet")
    status = gr.Markdown()
    sheet = picture_gallery(None, len(STEP_COUNTS), "sheet")
    requests = gr.State([])
    outputs: list[Any] = [sheet, status, requests]
    current_run.connect(draw, stop, handlers.draw, [class_name, axis, seed], outputs, status)
    opened: list[Any] = [tabs, create.advanced, *create.settings()]
    sheet.select(handlers.open, requests, opened, **IN_ORDER).success(
        None, None, None, js=SHOW_AND_GENERATE, **NOW
    )
