"""The bundled images that the page opens with: one of each class; the failure and its repair."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.checkpoints.manifest import update_manifest
from fashion_ddpm.checkpoints.npz import load_arrays, save_arrays
from fashion_ddpm.core.image_kind import ALL_CLASSES, CLASS_NAMES
from fashion_ddpm.core.images import to_uint8
from fashion_ddpm.core.paths import BUNDLED_DIR
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.diffusion.pipeline import (
    MODEL_DIGITS,
    FashionDDPMPipeline,
    load_pipeline,
    weights_hash,
)
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.diffusion.schedules import STUDENT_BETAS
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES

GALLERY = BUNDLED_DIR / "gallery.npz"
MAX_FIRST_SECONDS = 10.0
"""Longest estimated time for which the start of the app may wait for its first images."""

TENSORS = ("noisy", "clean", "label_scores", "quality_scores")

STORY = BUNDLED_DIR / "story.npz"
STORY_CLASS = "ankle boot"
STORY_SEEDS = range(8)

STUDENT, BROKEN, REPAIRED = "student", "broken", "repaired"

ROW_SETTINGS = {
    STUDENT: SamplingSettings("report", "ddpm", STUDENT_BETAS.num_train_timesteps),
    BROKEN: SamplingSettings("report", "dpm++2m", 20),
    REPAIRED: SamplingSettings("cosine", "dpm++2m", 20),
}
"""Row → how its images are sampled: the first as the student did, the others differ in the
schedule alone."""


def save_gallery(demo: Demo, path: Path = GALLERY) -> None:
    """Draw and score the gallery; write it with the checksum of the weights that drew it."""
    result = demo.draw(_gallery_request(demo), demo.scorers[0])
    arrays = {name: getattr(result, name).numpy() for name in TENSORS}
    metadata = {
        "weights": weights_hash(demo.pipeline),
        "request": result.request.as_settings(),
        "evaluations": result.evaluations,
        "seconds": result.seconds,
    }
    about = np.array(json.dumps(metadata))
    save_arrays(path, {"about": about, "alpha_bar": result.alpha_bar, **arrays})


def _gallery_request(demo: Demo) -> GenerateRequest:
    """Return the request for one image of each class, with seed i for class i."""
    names = demo.kind.class_names
    return GenerateRequest(ALL_CLASSES, min(len(names), PAGE_MAX_IMAGES), class_names=names)


def first_images(demo: Demo) -> Result | None:
    """Return the bundled gallery, or draw one if MAX_FIRST_SECONDS are enough."""
    request = _gallery_request(demo)
    bundled = load_gallery(demo)
    if bundled or demo.cost.seconds(request) > MAX_FIRST_SECONDS:
        return bundled
    return demo.draw(request, demo.scorers[0])


def make_gallery(student_checkpoint: str | None = None) -> None:
    """Draw the bundled gallery and story, and list them and the training previews in the manifest.

    Args:
        student_checkpoint: see save_story.
    """
    demo = Demo()
    save_gallery(demo)
    save_story(demo.pipeline, student_checkpoint)
    previews = sorted(BUNDLED_DIR.glob("previews/*.png"))
    update_manifest(BUNDLED_DIR, *(path.relative_to(BUNDLED_DIR).as_posix() for path in previews))


def load_gallery(demo: Demo, path: Path = GALLERY) -> Result | None:
    """Return the bundled gallery; None if other weights drew it, or it is damaged (reported)."""
    if not path.exists():
        return None
    try:
        arrays = load_arrays(path, "make gallery")
    except CheckpointError as error:
        print(error, file=sys.stderr)
        return None
    metadata = json.loads(str(arrays["about"]))
    if metadata["weights"] != weights_hash(demo.pipeline):
        return None
    return Result(
        request=GenerateRequest(**metadata["request"], class_names=demo.kind.class_names),
        scorer=demo.scorers[0],
        model=metadata["weights"][:MODEL_DIGITS],
        alpha_bar=arrays["alpha_bar"],
        baseline=demo.scorer(demo.scorers[0])[1],
        evaluations=metadata["evaluations"],
        seconds=metadata["seconds"],
        kind=demo.kind,
        warning="",
        **{name: torch.from_numpy(arrays[name]) for name in TENSORS},
    )


@dataclass(frozen=True, eq=False)
class Story:
    """The three rows.

    Attributes:
        rows: name of a row → its images, uint8 [8, 28, 28], from STORY_SEEDS.
        about: checksums of the networks; of the student's also the commit and the images seen.
    """

    rows: Mapping[str, np.ndarray]
    about: Mapping[str, Any]


def draw_row(pipeline: FashionDDPMPipeline, name: str) -> np.ndarray:
    """Return the images of one row: uint8 [8, 28, 28]."""
    labels = [CLASS_NAMES.index(STORY_CLASS)] * len(STORY_SEEDS)
    *_, last = pipeline.stream(labels, STORY_SEEDS, ROW_SETTINGS[name])
    return to_uint8(last.clean).cpu().numpy()


def save_story(
    pipeline: FashionDDPMPipeline, student_checkpoint: str | None = None, path: Path = STORY
) -> None:
    """Draw the rows and write them.

    Args:
        pipeline: the network of the rows BROKEN and REPAIRED.
        student_checkpoint: a network trained on the student's noise schedule (the command is in
            docs/report-answered.md); None keeps the row that the file has.
        path: the file.

    Raises:
        ConfigError: neither is there.
    """
    about = {"weights": weights_hash(pipeline)}
    if student_checkpoint is not None:
        student = load_pipeline(student_checkpoint)
        row, run = draw_row(student, STUDENT), read_run(student_checkpoint)
        about |= {
            "student_weights": weights_hash(student),
            "student_images_seen": run["images_seen"],
            "student_commit": run["commit"],
        }
    else:
        old = load_story(path)
        if old is None:
            raise ConfigError(
                f"{path} has no images of the student's network: name one trained on the student's "
                "noise schedule (--student-checkpoint; the command is in docs/report-answered.md)."
            )
        row, about = old.rows[STUDENT], {**old.about, **about}
    rows = {STUDENT: row} | {name: draw_row(pipeline, name) for name in (BROKEN, REPAIRED)}
    save_arrays(path, {"about": np.array(json.dumps(about)), **rows})


def load_story(path: Path = STORY) -> Story | None:
    """Return the bundled rows; None if they are missing or damaged, which is reported."""
    try:
        arrays = load_arrays(path, "make gallery")
    except CheckpointError as error:
        print(error, file=sys.stderr)
        return None
    rows = {name: arrays[name] for name in ROW_SETTINGS}
    return Story(rows, json.loads(str(arrays["about"])))
