"""The Compare tab: a contact sheet of the same seeds under many settings."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from fashion_ddpm.core.requests import MAX_SEED, PAGE_LABELS, RequestError, check_integer
from fashion_ddpm.demo.compare import (
    STEP_COUNTS,
    Cell,
    axes,
    cell_requests,
    checkpoint_name,
    draw_cells,
    zip_sheet,
)
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.generation.files import file_name
from fashion_ddpm.server.monitoring import StoppedError
from fashion_ddpm.ui.components import (
    EVERY_CLICK,
    IMAGES_GONE,
    NO_QUEUE,
    SHOW_AND_GENERATE,
    as_int,
    monitor_request,
    picture_gallery,
    report_errors,
    show_value,
)
from fashion_ddpm.ui.controls import Controls, control_values, default_request
from fashion_ddpm.ui.session import CurrentRun, connect_run

INTRODUCTION = f"""The same eight seeds in every cell, {", ".join(map(str, STEP_COUNTS))} steps from
left to right. Under each cell: the score of what was asked for, and the time it took here. Click a
cell to draw it in Create."""


FIRST_SEED = "First seed"


class Compare:
    """The tab's components and event handlers.

    Args:
        demo: the loaded model.
        tabs: the page's tabs.
        create: controls of the Create tab, which receive a cell's settings.
    """

    def __init__(self, demo: Demo, tabs: gr.Tabs, create: Controls) -> None:
        self.demo = demo
        self.tabs = tabs
        self.create = create
        gr.Markdown(INTRODUCTION)
        with gr.Row():
            names = list(demo.kind.class_names)
            default = default_request(demo).class_name
            class_name = gr.Dropdown(names, value=default, label=demo.kind.class_noun.capitalize())
            axis = gr.Radio(axes(demo), value="schedule", label="Rows")
            seed = gr.Number(0, label=FIRST_SEED, minimum=0, maximum=MAX_SEED)
        with gr.Row():
            draw = gr.Button("Draw the sheet", variant="primary")
            stop = gr.Button("Stop the sheet")
        self.status = gr.Markdown()
        self.sheet = picture_gallery(None, len(STEP_COUNTS), "sheet", download=False)
        label = "Download the sheet as a zip, with settings and scores"
        self.download = gr.DownloadButton(label, interactive=False)
        self.cells = gr.State([])
        outputs = [self.sheet, self.status, self.cells, self.download]
        connect_run(draw, stop, self.draw, [class_name, axis, seed], outputs, self.status)
        create_tab: list[Any] = [tabs, *create.inputs()]
        self.sheet.select(self.open, self.cells, create_tab, **EVERY_CLICK).success(
            None, None, None, js=SHOW_AND_GENERATE, **NO_QUEUE
        )

    def draw(
        self, current: CurrentRun, number: int, class_name: str, axis: str, seed: float
    ) -> Iterator[dict[Any, Any]]:
        """Draw the sheet cell by cell, with a line on progress and a zip file."""
        status = "nothing was drawn"
        try:
            with monitor_request(
                self.demo, "sheet", PAGE_LABELS | {"seed": FIRST_SEED}
            ) as wrap_steps:
                requests = cell_requests(self.demo, class_name, as_int(seed), axis)
                wrap_steps = current.make_wrapper(number, wrap_steps)
                cells: list[Cell] = []
                for cell in draw_cells(self.demo, requests, wrap_steps):
                    current.check(number)
                    cells.append(cell)
                    status = f"{len(cells)} of {len(requests)} cells"
                    yield {
                        self.sheet: show_value([(each.picture, each.caption) for each in cells]),
                        self.status: status,
                        self.cells: list(cells),
                        self.download: gr.update(value=save_archive(cells), interactive=True),
                    }
        except StoppedError:
            stopped = current.was_stopped(number)
            yield {self.status: f"Stopped: {status}." if stopped else gr.skip()}

    def open(self, cells: list[Cell], event: gr.SelectData) -> dict[Any, Any]:
        """Open the Create tab with a cell's settings."""
        with report_errors():
            if not cells:
                raise RequestError(IMAGES_GONE)
            check_integer("cell", event.index, 0, len(cells) - 1)
            cell = cells[event.index]
            if cell.cell_request.pipeline is not self.demo.pipeline:
                raise RequestError(
                    f"This cell was drawn by {cell.cell_request.row}, but Create draws with "
                    f"{checkpoint_name(self.demo.pipeline)}: an app that is started with the other "
                    "--checkpoint draws it there."
                )
        values = control_values(cell.settings.request, cell.settings.scorer)
        return {
            self.tabs: gr.Tabs(selected="create"),
            **dict(zip(self.create.inputs(), values, strict=True)),
        }


def save_archive(cells: list[Cell]) -> str:
    """Write the zip file into gradio's cache, which gradio cleans up, and return its path."""
    axis, request = cells[0].cell_request.axis, cells[0].cell_request.request
    name = file_name(f"{request.class_name}-{axis}-{request.seed}", ending=".zip")
    return save_bytes_to_cache(zip_sheet(cells), name, get_upload_folder())
