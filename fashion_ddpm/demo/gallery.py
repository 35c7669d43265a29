"""The page's first picture: one image of each class with its scores, made ahead and bundled."""

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
from fashion_ddpm.diffusion.pipeline import MODEL_DIGITS, weights_hash
from fashion_ddpm.server.limits import PAGE_MAX_IMAGES

GALLERY = BUNDLED_DIR / "gallery.npz"
MAX_FIRST_SECONDS = 10.0
"""Longest time that a page's start may take longer for the sake of its first images."""

TENSORS = ("noisy", "clean", "label_scores", "quality_scores")


def save_gallery(demo: Demo, path: Path = GALLERY) -> None:
    """Draw and score the gallery; write it with the checksum of the weights that drew it."""
    result = _draw(demo, _gallery_request(demo))
    arrays = {name: getattr(result, name).numpy() for name in TENSORS}
    about = {
        "weights": weights_hash(demo.pipeline),
        "request": result.request.as_settings(),
        "evaluations": result.evaluations,
        "seconds": result.seconds,
    }
    notes = {"about": np.array(json.dumps(about)), "alpha_bar": result.alpha_bar}
    save_arrays(path, {**notes, **arrays})


def _gallery_request(demo: Demo) -> GenerateRequest:
    """Return the request for one image of each class; seed i for class i, as it falls."""
    names = demo.kind.class_names
    return GenerateRequest(ALL_CLASSES, min(len(names), PAGE_MAX_IMAGES), class_names=names)


def _draw(demo: Demo, request: GenerateRequest) -> Result:
    *_, result = demo.run(request, demo.scorers[0])
    assert isinstance(result, Result)
    return result


def first_images(demo: Demo) -> Result | None:
    """Return the bundled gallery, or one that is drawn now if MAX_FIRST_SECONDS are enough."""
    request = _gallery_request(demo)
    bundled = load_gallery(demo)
    if bundled or demo.cost.seconds(request) > MAX_FIRST_SECONDS:
        return bundled
    return _draw(demo, request)


def make_gallery() -> None:
    """Draw the bundled gallery anew; list it and the previews beside it in their manifest."""
    save_gallery(Demo())
    previews = sorted(BUNDLED_DIR.glob("previews/*.png"))
    update_manifest(BUNDLED_DIR, *(path.relative_to(BUNDLED_DIR).as_posix() for path in previews))


def load_gallery(demo: Demo, path: Path = GALLERY) -> Result | None:
    """Return the bundled gallery, or None when other weights than the loaded ones drew it.

    A damaged one costs a line on stderr: the page then begins without a picture.
    """
    if not path.exists():
        return None
    try:
        arrays = load_arrays(path, "make gallery")
    except CheckpointError as error:
        print(error, file=sys.stderr)
        return None
    about = json.loads(str(arrays["about"]))
    if about["weights"] != weights_hash(demo.pipeline):
        return None
    return Result(
        request=GenerateRequest(**about["request"], class_names=demo.kind.class_names),
        scorer=demo.scorers[0],
        model=about["weights"][:MODEL_DIGITS],
        alpha_bar=arrays["alpha_bar"],
        baseline=demo.scorer(demo.scorers[0])[1],
        evaluations=about["evaluations"],
        seconds=about["seconds"],
        kind=demo.kind,
        warning="",
        **{name: torch.from_numpy(arrays[name]) for name in TENSORS},
    )
