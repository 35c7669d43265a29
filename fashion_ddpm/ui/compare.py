"""The Compare tab: a grid of the same seeds under many settings, and a map of measured quality."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from fashion_ddpm.core.images import png_url
from fashion_ddpm.core.requests import MAX_SEED, PAGE_LABELS, RequestError, check_integer
from fashion_ddpm.demo.compare import (
    AXIS_NAMES,
    STEP_COUNTS,
    Cell,
    CellRequest,
    axes,
    cell_requests,
    checkpoint_name,
    draw_cells,
    held_fixed,
    picture_size,
    real_images,
    settings_in_words,
    zip_sheet,
)
from fashion_ddpm.demo.engine import Demo, default_request
from fashion_ddpm.demo.quality import heat_map, measurements_of
from fashion_ddpm.generation.files import file_name
from fashion_ddpm.server.monitoring import StoppedError
from fashion_ddpm.ui.components import (
    EVERY_CLICK,
    IMAGES_GONE,
    LATEST_VALUES,
    NO_QUEUE,
    SHOW_AND_GENERATE,
    as_int,
    browser_html,
    monitor_request,
    report_errors,
)
from fashion_ddpm.ui.controls import Controls, control_values
from fashion_ddpm.ui.page import save_pil_atomically
from fashion_ddpm.ui.session import CurrentRun, connect_run

INTRODUCTION = f"""The same eight seeds in every cell: one setting changes from row to row, the
number of steps ({", ".join(map(str, STEP_COUNTS))}) from left to right. Click a cell to enlarge it
and to open it in Create, where **Keep as A** compares it with another one step by step.
The label score is the probability that CLIP gives to the requested class."""

REAL_NOTE = """The mean score of all held-out real images of this class, of which some are shown.
Generated images that score higher are more typical of the class, not better."""

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
        self.quality: gr.HTML | None = None
        measurements = measurements_of(demo.model)
        if measurements:
            self.quality = browser_html(heat_map(measurements), "heat_map", elem_id="quality")
        gr.Markdown(INTRODUCTION)
        with gr.Row():
            names = list(demo.kind.class_names)
            default = default_request(demo).class_name
            class_name = gr.Dropdown(names, value=default, label="Class", min_width=160)
            choices = [(AXIS_NAMES[axis], axis) for axis in axes(demo)]
            axis = gr.Radio(choices, value="schedule", label="Rows", min_width=290)
            seed = gr.Number(0, label=FIRST_SEED, minimum=0, maximum=MAX_SEED)
        with gr.Row():
            generate = gr.Button("Generate grid", variant="primary")
            stop = gr.Button("Stop")
        self.status = gr.Markdown("Press Generate grid.")
        places = self._sheet_value(cell_requests(demo, default, 0, "schedule"))
        self.sheet = browser_html(places, "contact_sheet", elem_id="sheet")
        label = "Download the grid as a zip, with settings and scores"
        self.download = gr.DownloadButton(label, interactive=False)
        self.cells = gr.State([])
        settings: list[Any] = [class_name, axis, seed]
        outputs = [self.sheet, self.status, self.cells, self.download]
        connect_run(generate, stop, self.draw, settings, outputs, self.status)
        changes = [component.change for component in settings]
        gr.on(changes, self.show_places, [self.cells, *settings], self.sheet, **LATEST_VALUES)
        create_tab: list[Any] = [tabs, *create.inputs()]
        self.sheet.select(self.open, self.cells, create_tab, **EVERY_CLICK).success(
            None, None, None, js=SHOW_AND_GENERATE, **NO_QUEUE
        )

    def draw(
        self, current: CurrentRun, number: int, class_name: str, axis: str, seed: float
    ) -> Iterator[dict[Any, Any]]:
        """Generate the grid cell by cell, with a line on progress and a zip file."""
        status = "nothing was generated"
        try:
            with monitor_request(
                self.demo, "sheet", PAGE_LABELS | {"seed": FIRST_SEED}
            ) as wrap_steps:
                requests = cell_requests(self.demo, class_name, as_int(seed), axis)
                wrap_steps = current.make_wrapper(number, wrap_steps)
                cells: list[Cell] = []
                sheet = self._sheet_value(requests)
                yield {
                    self.sheet: sheet,
                    self.status: "Generating …",
                    self.cells: [],
                    self.download: gr.update(value=None, interactive=False),
                }
                for cell in draw_cells(self.demo, requests, wrap_steps):
                    current.check(number)
                    shown = sheet["cells"][: len(cells)]
                    missing = sheet["cells"][len(cells) + 1 :]
                    sheet = sheet | {"cells": [*shown, self._cell_value(cell), *missing]}
                    cells.append(cell)
                    status = f"{len(cells)} of {len(requests)} cells"
                    yield {
                        self.sheet: sheet,
                        self.status: status,
                        self.cells: list(cells),
                        self.download: gr.update(value=save_archive(cells), interactive=True),
                    }
        except StoppedError:
            stopped = current.was_stopped(number)
            yield {self.status: f"Stopped: {status}." if stopped else gr.skip()}

    def show_places(self, cells: list[Cell], class_name: str, axis: str, seed: Any) -> Any:
        """Show the places of the chosen grid, unless one was generated: that one stays in view."""
        if cells:
            return gr.skip()
        with report_errors(PAGE_LABELS | {"seed": FIRST_SEED}):
            requests = cell_requests(self.demo, class_name, as_int(seed), axis)
        return self._sheet_value(requests)

    def _sheet_value(self, requests: list[CellRequest]) -> dict[str, Any]:
        """Return a grid without its cells, as contact_sheet.js reads it."""
        width, height = picture_size(self.demo.kind.image_size)
        columns = len(STEP_COUNTS)
        return {
            "fixed": held_fixed(requests),
            "row_name": AXIS_NAMES[requests[0].axis],
            "rows": [request.row_label for request in requests[::columns]],
            "columns": list(STEP_COUNTS),
            "size": [width, height],
            "real": self._real_row(requests[0].request.class_name),
            "cells": [None] * len(requests),
        }

    def _real_row(self, class_name: str) -> dict[str, str] | None:
        """Return the row of held-out real images, where there are any."""
        real = real_images(self.demo, class_name)
        if real is None:
            return None
        return {
            "picture": png_url(real.picture),
            "score": real.score_text,
            "alt": f"eight held-out real images of the class {class_name}",
            "note": REAL_NOTE,
        }

    def _cell_value(self, cell: Cell) -> dict[str, Any]:
        """Return a generated cell as contact_sheet.js reads it."""
        request = cell.cell_request.request
        file = save_pil_atomically(cell.picture, get_upload_folder(), format="png")
        seeds = f"seeds {request.seed} to {request.seed + request.num_images - 1}"
        return {
            "picture": FileData(path=file, mime_type="image/png").model_dump(),
            "title": cell.title,
            "score": cell.score_text,
            "cost": cell.cost_text,
            "alt": f"eight generated images of the class {request.class_name}, {seeds}",
            "settings": settings_in_words(request),
            "blocked": self._why_blocked(cell),
        }

    def _why_blocked(self, cell: Cell) -> str:
        """Return why Create cannot generate a cell's images, or ""."""
        network = cell.cell_request.pipeline
        if network is self.demo.pipeline:
            return ""
        return (
            f"This cell was generated by {checkpoint_name(network)}, but Create uses "
            f"{checkpoint_name(self.demo.pipeline)}: it cannot be opened there."
        )

    def open(self, cells: list[Cell], event: gr.SelectData) -> dict[Any, Any]:
        """Open the Create tab with a cell's settings."""
        with report_errors():
            if not cells:
                raise RequestError(IMAGES_GONE)
            check_integer("cell", event.index, 0, len(cells) - 1)
            cell = cells[event.index]
            if blocked := self._why_blocked(cell):
                raise RequestError(blocked)
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
