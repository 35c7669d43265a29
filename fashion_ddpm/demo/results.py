"""Finished images for the page: pictures, scores by prompt, a zip file."""

import threading
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from fashion_ddpm.core.image_kind import FASHION_MNIST, ImageKind, label_prompts, quality_prompts
from fashion_ddpm.core.images import enlarge, make_grid, name_picture, to_uint8
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.share import SharedSettings
from fashion_ddpm.diffusion.sampling import DenoisingStep
from fashion_ddpm.generation.files import picture_name, zip_images
from fashion_ddpm.scoring.clip_baseline import Baseline

PREVIEW_COLUMNS = 10
PREVIEW_SCALE = 4
IMAGE_SCALE = 8

MAX_KEPT_BYTES = 64 * 2**20
"""Most memory for kept results: nine grids of schedules, of 7 MB each."""

Scores = dict[str, float]
"""Prompt → probability."""


@dataclass(frozen=True)
class Preview:
    """The images at one step: x_t above, the predicted clean images below."""

    picture: Image.Image
    steps_done: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Frame:
    """The images at one step, on the CPU.

    Attributes:
        noisy: uint8 [B, H, W], or [B, H, W, 3], x_t before the step.
        clean: uint8, of the same shape, the clean images predicted there.
        alpha_bar: share of the images' power in x_t.
    """

    noisy: Tensor
    clean: Tensor
    alpha_bar: float

    @classmethod
    def from_step(cls, step: DenoisingStep) -> "Frame":
        """Return a step of the sampling loop as pixels."""
        return cls(to_uint8(step.noisy).cpu(), to_uint8(step.clean).cpu(), step.alpha_bar)

    def preview(self, steps_done: int, seconds: float) -> Preview:
        """Return the preview of this step."""
        return Preview(preview_picture(self.noisy, self.clean), steps_done, seconds)


@dataclass(frozen=True, eq=False)  # gradio must not compare tensors
class Result:
    """Finished images, their trajectories and their scores.

    Attributes:
        request: what was requested.
        scorer: the scorer's name.
        model: the start of the checksum of the weights that drew them.
        noisy: uint8 [K, B, H, W], or [K, B, H, W, 3], x_t before each step.
        clean: uint8, of the same shape, the clean images predicted there; the last are the images.
        alpha_bar: float64 [K], share of the images' power in x_t.
        label_scores: float32 [B, classes]; [B, 0] without a scorer.
        quality_scores: float32 [B, 3], or [B, 0].
        baseline: scores of real test images, if there are any.
        evaluations: UNet evaluations of single images.
        seconds: time from the request to the last step, without scoring.
        kind: kind of the images.
        warning: why another scorer than requested was used, or "".
    """

    request: GenerateRequest
    scorer: str
    model: str
    noisy: Tensor
    clean: Tensor
    alpha_bar: np.ndarray
    label_scores: Tensor
    quality_scores: Tensor
    baseline: Baseline | None
    evaluations: int
    seconds: float
    kind: ImageKind = FASHION_MNIST
    warning: str = ""

    @property
    def labels(self) -> Tensor:
        """The requested classes: int64 [B]."""
        return torch.tensor(self.request.labels())

    @property
    def settings(self) -> SharedSettings:
        """The settings that draw the same images again."""
        return SharedSettings(self.request, self.model, self.scorer)

    def pictures(self) -> list[tuple[Image.Image, str]]:
        """Return the enlarged images, which carry their settings, with their captions."""
        pictures = []
        for index, image in enumerate(self.clean[-1]):
            request = self.request.select_image(index)
            settings = SharedSettings(request, self.model, self.scorer).as_settings()
            picture = name_picture(enlarge(image, IMAGE_SCALE), picture_name(request), settings)
            pictures.append((picture, self.caption(index)))
        return pictures

    def caption(self, index: int) -> str:
        """Return one image's class and seed."""
        request = self.request.select_image(index)
        return f"{request.class_name}, seed {request.seed}"

    def last_preview(self) -> Preview:
        """Return the preview of the last step."""
        picture = preview_picture(self.noisy[-1], self.clean[-1])
        return Preview(picture, len(self.noisy), self.seconds)

    def archive(self) -> bytes:
        """Return a zip file of the images at their own size, with settings and scores."""
        scores = [self.image_scores(index)[0] for index in range(self.request.num_images)]
        return zip_images(self.clean[-1], self.request, self.settings.model_and_scorer(), scores)

    def image_scores(self, index: int) -> tuple[Scores, Scores]:
        """Return one image's scores for the label prompts and for the quality prompts."""
        name = self._class_name(index)
        return self._by_prompt(self.label_scores[index], self.quality_scores[index], name)

    def mean_scores(self, index: int) -> tuple[Scores, Scores]:
        """Return the mean scores of all images of one image's class."""
        same = self.labels == self.labels[index]
        labels, quality = self.label_scores[same].mean(dim=0), self.quality_scores[same].mean(dim=0)
        return self._by_prompt(labels, quality, self._class_name(index))

    def real_scores(self, index: int) -> tuple[Scores, Scores]:
        """Return the mean scores of real test images of one image's class."""
        label, real = self.labels[index], self.baseline
        if real is None:
            return {}, {}
        return self._by_prompt(real.labels[label], real.quality[label], self._class_name(index))

    def _by_prompt(self, labels: Tensor, quality: Tensor, class_name: str) -> tuple[Scores, Scores]:
        """Return label scores and quality scores as dicts by prompt; empty without a scorer."""
        if not len(labels):
            return {}, {}
        return (
            dict(zip(label_prompts(self.kind.class_names), labels.tolist(), strict=True)),
            dict(zip(quality_prompts(class_name, self.kind), quality.tolist(), strict=True)),
        )

    def _class_name(self, index: int) -> str:
        return self.kind.class_names[int(self.labels[index])]


class KeptResults:
    """The newest results of all visitors' grids, found by their settings.

    Args:
        max_bytes: most memory for their images; the oldest results are dropped first.
    """

    def __init__(self, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._results: dict[SharedSettings, Result] = {}
        self._lock = threading.Lock()

    def add(self, result: Result) -> None:
        """Keep a result."""
        with self._lock:
            self._results.pop(result.settings, None)
            self._results[result.settings] = result
            while sum(map(_num_bytes, self._results.values())) > self._max_bytes:
                del self._results[next(iter(self._results))]

    def get(self, settings: SharedSettings) -> Result | None:
        """Return the result with these settings, if it is kept."""
        return self._results.get(settings)


def _num_bytes(result: Result) -> int:
    return result.noisy.nbytes + result.clean.nbytes


def preview_picture(noisy: Tensor, clean: Tensor, scale: int = PREVIEW_SCALE) -> Image.Image:
    """Return x_t in the upper rows and the predicted clean images in the lower ones.

    Args:
        noisy: uint8 [B, H, W] or [B, H, W, 3].
        clean: uint8, of the same shape.
        scale: factor of enlargement.
    """
    rows = -(-len(noisy) // PREVIEW_COLUMNS)
    columns = -(-len(noisy) // rows)
    missing = -len(noisy) % columns
    blank = torch.zeros(missing, *noisy.shape[1:], dtype=torch.uint8)
    return make_grid(torch.cat([noisy, blank, clean, blank]), columns, scale=scale)
