"""The images that the page opens with: one of each class, scored, bundled with the weights."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import update_manifest
from fashion_ddpm.checkpoints.npz import load_arrays, save_arrays
from fashion_ddpm.core.image_kind import ALL_CLASSES
from fashion_ddpm.core.paths import BUNDLED_DIR
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.demo.story import save_story
from fashion_ddpm.diffusion.pipeline import MODEL_DIGITS, weights_hash
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES

GALLERY = BUNDLED_DIR / "gallery.npz"
MAX_FIRST_SECONDS = 10.0
"""Longest estimated time for which the start of the app may wait for its first images."""

TENSORS = ("noisy", "clean", "label_scores", "quality_scores")


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
