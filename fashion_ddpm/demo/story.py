"""The failure and its repair as three rows of images from the same seeds, bundled as pictures."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.checkpoints.npz import load_arrays, save_arrays
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import to_uint8
from fashion_ddpm.core.paths import BUNDLED_DIR
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, weights_hash
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.diffusion.schedules import STUDENT_BETAS

STORY = BUNDLED_DIR / "story.npz"
CLASS_NAME = "ankle boot"
SEEDS = range(8)

STUDENT, BROKEN, REPAIRED = "student", "broken", "repaired"

ROW_SETTINGS = {
    STUDENT: SamplingSettings("report", "ddpm", STUDENT_BETAS.num_train_timesteps),
    BROKEN: SamplingSettings("report", "dpm++2m", 20),
    REPAIRED: SamplingSettings("cosine", "dpm++2m", 20),
}
"""Row → how its images are sampled: the first as the student did, the others differ in the
schedule alone."""


@dataclass(frozen=True, eq=False)
class Story:
    """The three rows.

    Attributes:
        rows: name of a row → its images, uint8 [8, 28, 28], from SEEDS.
        about: checksums of the networks; of the student's also the commit and the images seen.
    """

    rows: Mapping[str, np.ndarray]
    about: Mapping[str, Any]


def draw_row(pipeline: FashionDDPMPipeline, name: str) -> np.ndarray:
    """Return the images of one row: uint8 [8, 28, 28]."""
    labels = [CLASS_NAMES.index(CLASS_NAME)] * len(SEEDS)
    *_, last = pipeline.stream(labels, SEEDS, ROW_SETTINGS[name])
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
