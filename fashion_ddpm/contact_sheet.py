"""The same seeds under many settings: one cell for each value and number of steps."""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from fashion_ddpm.clip_scores import EMBEDDED
from fashion_ddpm.config import SAMPLERS, SCHEDULES
from fashion_ddpm.demo import Demo
from fashion_ddpm.images import grid
from fashion_ddpm.request import GenerateRequest, RequestError
from fashion_ddpm.sampling import SamplingSettings

AXES: dict[str, tuple[str, Sequence[str | float]]] = {
    "schedule": ("schedule", SCHEDULES),
    "sampler": ("sampler", SAMPLERS),
    "guidance": ("guidance_scale", (1.0, 1.5, 2.0, 4.0)),
}
"""What a sheet's rows can vary → the request's field, and its values."""

STEP_COUNTS = (4, 10, 20, 50)
"""Columns of a sheet."""

IMAGES_A_CELL = 8
COLUMNS_A_CELL = 4
SCALE = 3


@dataclass(frozen=True)
class Cell:
    """One place of a contact sheet.

    Attributes:
        request: what was asked for.
        picture: its images.
        score: mean probability that the scorer gives to what was asked for.
        seconds: time without scoring.
    """

    request: GenerateRequest
    picture: Image.Image
    score: float
    seconds: float

    def caption(self, axis: str) -> str:
        """Returns the varied value, the steps, the score and the time."""
        value = getattr(self.request, AXES[axis][0])
        steps = self.request.num_inference_steps
        return f"{value}, {steps} steps: {self.score:.0%}, {self.seconds:.1f} s"


def sheet_requests(class_name: str, seed: int, axis: str) -> list[GenerateRequest]:
    """Returns the requests of a sheet, row by row.

    Raises:
        RequestError: there is no such axis, class or seed.
    """
    if axis not in AXES:
        raise RequestError(f"rows are {axis!r:.40}; they must be one of {', '.join(AXES)}.")
    field, values = AXES[axis]
    base = GenerateRequest(class_name, num_images=IMAGES_A_CELL, seed=seed)
    changes: list[dict[str, Any]] = [
        {"num_inference_steps": steps, field: value} for value in values for steps in STEP_COUNTS
    ]
    return [dataclasses.replace(base, **change) for change in changes]


def cells(demo: Demo, requests: Sequence[GenerateRequest]) -> Iterator[Cell]:
    """Yields the sheet's cells, one after the other."""
    scorer, _ = demo.scorer(EMBEDDED)
    for request in requests:
        labels, begin = request.labels(), time.monotonic()
        (batch,) = demo.pipeline.generate(labels, request.seeds(), SamplingSettings.of(request))
        seconds = time.monotonic() - begin
        scores = scorer.label_scores(batch.images)
        right = scores.gather(1, torch.tensor(labels)[:, None]).mean().item()
        yield Cell(request, grid(batch.images, COLUMNS_A_CELL, scale=SCALE), right, seconds)
