"""The same seeds under many settings: one cell for each value and number of steps."""

import dataclasses
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from fashion_ddpm.core.config import SAMPLERS, SCHEDULES, TURBO
from fashion_ddpm.core.images import make_grid, name_picture, save_png
from fashion_ddpm.core.requests import GenerateRequest, RequestError, safe_repr
from fashion_ddpm.core.wording import format_seconds, quantity, whole_percent
from fashion_ddpm.demo.engine import Demo, StepWrapper, offered_schedules
from fashion_ddpm.demo.results import Frame
from fashion_ddpm.demo.share import SharedSettings
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.generation.files import SCORES_FILE, file_name, to_csv, zip_files
from fashion_ddpm.scoring.clip import select_scores
from fashion_ddpm.scoring.clip_baseline import load_real_sample

AXES: dict[str, tuple[str, Sequence[str | float]]] = {
    "schedule": ("schedule", SCHEDULES),
    "sampler": ("sampler", SAMPLERS),
    "guidance": ("guidance_scale", (1.0, 1.5, 2.0, 4.0)),
}
"""Axis of a sheet's rows → field of a request, and its values."""

FIELD_WORDS = {
    "schedule": "Noise schedule",
    "sampler": "Sampler",
    "guidance_scale": "Guidance",
}
"""Field of a request that the rows may vary → its name on the page."""

CHECKPOINT = "checkpoint"
"""Axis whose rows are two networks, with --compare-with."""

AXIS_NAMES = {
    **{axis: FIELD_WORDS[field] for axis, (field, _) in AXES.items()},
    CHECKPOINT: "Network",
}
"""Axis → its name on the page."""

STEP_COUNTS = (4, 10, 20, 50)
"""Columns of a sheet."""

IMAGES_PER_CELL = 8
COLUMNS_PER_CELL = 4
SCALE = 3


@dataclass(frozen=True)
class CellRequest:
    """The request for one cell of a contact sheet.

    Attributes:
        axis: what the rows vary: a key of AXES, or CHECKPOINT.
        row: name of the row: a schedule, a sampler, a guidance scale or a checkpoint.
        request: what to draw.
        pipeline: what draws it.
    """

    axis: str
    row: str
    request: GenerateRequest
    pipeline: FashionDDPMPipeline

    @property
    def row_label(self) -> str:
        """Name of the row on the page: "report (broken on purpose)", "1 (off)"."""
        if self.axis == "guidance":
            return _guidance_text(self.request)
        return f"{self.row} (broken on purpose)" if self.row == "report" else self.row

    @property
    def file_name(self) -> str:
        """Name of the picture's file: "schedule-cosine_steps-10_seed-0.png"."""
        steps, seed = self.request.num_inference_steps, self.request.seed
        return file_name(f"{self.axis}-{self.row}", f"steps-{steps}", f"seed-{seed}")


@dataclass(frozen=True, eq=False)  # gradio must not compare pictures
class Cell:
    """One cell of a contact sheet, drawn.

    Attributes:
        cell_request: what was requested.
        picture: grid of the images, which carries the settings and a file name.
        settings: the settings that draw the same images again.
        score: mean probability that the scorer gives to the requested class; None without a scorer.
        seconds: time without scoring.
        evaluations: network evaluations of single images.
    """

    cell_request: CellRequest
    picture: Image.Image
    settings: SharedSettings
    score: float | None
    seconds: float
    evaluations: int

    @property
    def title(self) -> str:
        """The varied value and the steps."""
        steps = quantity(self.cell_request.request.num_inference_steps, "step")
        axis = AXIS_NAMES[self.cell_request.axis]
        return f"{axis} {self.cell_request.row_label}, {steps}"

    @property
    def score_text(self) -> str:
        """The label score: "label score 97 %", or "" without a scorer."""
        return format_score(self.score)

    @property
    def cost_text(self) -> str:
        """What it cost: "80 network evaluations, 0.9 s"."""
        return f"{quantity(self.evaluations, 'network evaluation')}, {format_seconds(self.seconds)}"


@dataclass(frozen=True)
class RealImages:
    """Held-out real images of a class, which a sheet's cells stand beside.

    Attributes:
        picture: grid of as many images as in a cell.
        score_text: mean label score of all held-out images of the class.
    """

    picture: Image.Image
    score_text: str


def format_score(score: float | None) -> str:
    """Return "label score 97 %", or "" without a score."""
    return "" if score is None else f"label score {whole_percent(score)}"


def real_images(demo: Demo, class_name: str) -> RealImages | None:
    """Return bundled held-out images of a class; None for other images than Fashion-MNIST."""
    if not demo.kind.is_fashion_mnist or class_name not in demo.kind.class_names:
        return None
    label = demo.kind.class_names.index(class_name)
    images = load_real_sample().select_class(label)[:IMAGES_PER_CELL]
    _, baseline = demo.scorer(demo.scorers[0])
    score = None if baseline is None else baseline.labels[label, label].item()
    return RealImages(make_grid(images, COLUMNS_PER_CELL, scale=SCALE), format_score(score))


def held_fixed(requests: Sequence[CellRequest]) -> str:
    """Return a sentence on the settings that all cells of a sheet share."""
    axis, request = requests[0].axis, requests[0].request
    varied = AXES[axis][0] if axis in AXES else ""
    words = [(name, text) for name, text in settings_in_words(request) if name != "Steps"]
    fixed = [f"{label} {text}" for label, text in words if FIELD_WORDS.get(varied) != label]
    return "Held fixed: " + " · ".join(each[:1].lower() + each[1:] for each in fixed)


def _guidance_text(request: GenerateRequest) -> str:
    scale, low, high = request.guidance_scale, request.guidance_low, request.guidance_high
    if scale == 1:
        return "1 (off)"
    return f"{scale:g}" if (low, high) == (0, 1) else f"{scale:g} from {low:g} to {high:g}"


def sampling_in_words(request: GenerateRequest) -> list[tuple[str, str]]:
    """Return (name, value) of how images are sampled, as the page shows it."""
    return [
        (FIELD_WORDS["schedule"], request.schedule),
        (FIELD_WORDS["sampler"], request.sampler),
        ("Steps", str(request.num_inference_steps)),
        (FIELD_WORDS["guidance_scale"], _guidance_text(request)),
    ]


def settings_in_words(request: GenerateRequest) -> list[tuple[str, str]]:
    """Return (name, value) of a cell's settings, as the page shows them."""
    last_seed = request.seed + request.num_images - 1
    return [
        ("Class", request.class_name),
        *sampling_in_words(request),
        ("Seeds", f"{request.seed}–{last_seed}"),
    ]


def picture_size(image_size: int) -> tuple[int, int]:
    """Return width and height of a cell's picture, for square images of this size."""
    images = torch.zeros(IMAGES_PER_CELL, image_size, image_size, dtype=torch.uint8)
    return make_grid(images, COLUMNS_PER_CELL, scale=SCALE).size


def axes(demo: Demo) -> list[str]:
    """Return the axes that the rows can vary."""
    return [*AXES, CHECKPOINT] if demo.second_pipeline else list(AXES)


def cell_requests(demo: Demo, class_name: str, seed: int, axis: str) -> list[CellRequest]:
    """Return the requests of a sheet, row by row.

    Raises:
        RequestError: there is no such axis, class or seed.
    """
    if not isinstance(axis, str) or axis not in axes(demo):
        raise RequestError(
            f"rows are {safe_repr(axis)}; they must be one of {', '.join(axes(demo))}."
        )
    names = demo.kind.class_names
    base = GenerateRequest(class_name, num_images=IMAGES_PER_CELL, seed=seed, class_names=names)
    rows: list[tuple[str, dict[str, Any], FashionDDPMPipeline]]
    if axis == CHECKPOINT:
        networks = (demo.pipeline, demo.second_pipeline)
        rows = [(checkpoint_name(network), {}, network) for network in networks if network]
    else:
        field, values = AXES[axis]
        if axis == "schedule":
            values = offered_schedules(demo)
        if axis == "sampler" and demo.has_turbo:
            values = (*values, TURBO)
        rows = [(str(value), {field: value}, demo.pipeline) for value in values]
    return [
        CellRequest(
            axis, row, dataclasses.replace(base, num_inference_steps=steps, **change), network
        )
        for row, change, network in rows
        for steps in STEP_COUNTS
    ]


def checkpoint_name(pipeline: FashionDDPMPipeline) -> str:
    """Return the last two parts of the path, or of the repository, of a checkpoint."""
    return "/".join(Path(pipeline.name_or_path).parts[-2:])


def draw_cells(
    demo: Demo, cell_requests: Sequence[CellRequest], wrap_steps: StepWrapper = iter
) -> Iterator[Cell]:
    """Draw and score the cells of a sheet one by one; Create's network keeps its results."""
    for cell_request in cell_requests:
        request, pipeline = cell_request.request, cell_request.pipeline
        begin = time.monotonic()
        frames = list(map(Frame.from_step, wrap_steps(pipeline.stream_request(request))))
        seconds = time.monotonic() - begin
        result = demo.score(pipeline, request, frames, seconds, demo.scorers[0])
        if pipeline is demo.pipeline:
            demo.kept.add(result)
        scores = select_scores(result.label_scores, result.labels)
        score = None if scores is None else scores.mean().item()
        picture = make_grid(result.clean[-1], COLUMNS_PER_CELL, scale=SCALE)
        name_picture(picture, cell_request.file_name, result.settings.as_settings())
        yield Cell(cell_request, picture, result.settings, score, seconds, result.evaluations)


def zip_sheet(cells: Sequence[Cell]) -> bytes:
    """Return a zip file of the cells' pictures and a table of their settings and scores."""
    files: dict[str, bytes | str] = {}
    rows = []
    for cell in cells:
        name, settings = cell.cell_request.file_name, cell.settings.as_settings()
        content = io.BytesIO()
        save_png(cell.picture, content, settings)
        files[name] = content.getvalue()
        score = "" if cell.score is None else round(cell.score, 4)
        cost = {"network_evaluations": cell.evaluations, "seconds": round(cell.seconds, 2)}
        rows.append({"file_name": name, **settings, "score": score, **cost})
    return zip_files({**files, SCORES_FILE: to_csv(rows)})
