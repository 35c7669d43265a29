"""What the page shows, as pictures and numbers: no gradio here, no layout."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from fashion_ddpm.clip_scores import (
    EMBEDDED,
    SCORERS,
    Baseline,
    ClipScorer,
    load_baseline,
    load_scorer,
)
from fashion_ddpm.images import enlarge, grid, to_uint8
from fashion_ddpm.labels import CLASS_NAMES, label_prompts, quality_prompts
from fashion_ddpm.pipeline import BUNDLED_CHECKPOINT, load_pipeline
from fashion_ddpm.request import GenerateRequest, RequestError
from fashion_ddpm.sampling import DenoisingStep, SamplingSettings, num_evaluations
from fashion_ddpm.schedules import check_schedule

MAX_IMAGES = 16
MAX_STEPS = 100
"""What one visitor may ask of a machine with two cores; the command line has no such limit."""

PREVIEW_INTERVAL = 0.1
"""Seconds between two previews: more than ten a second only costs time."""

PREVIEW_COLUMNS = 8
PREVIEW_SCALE = 4
IMAGE_SCALE = 8

Scores = dict[str, float]
"""Prompt → probability, as a label component shows them."""


@dataclass(frozen=True)
class Preview:
    """The images on their way: x_t above, the predicted clean images below."""

    picture: Image.Image
    steps_done: int
    seconds: float


@dataclass(frozen=True)
class Result:
    """Finished images and what the scorer says of them.

    Attributes:
        pictures: B enlarged images, each with its caption.
        labels: int64 [B].
        label_scores: float32 [B, 10].
        quality_scores: float32 [B, 3].
        baseline: what real test images score.
        evaluations: UNet evaluations of single images.
        seconds: from the request to the last step, without scoring.
    """

    pictures: list[tuple[Image.Image, str]]
    labels: Tensor
    label_scores: Tensor
    quality_scores: Tensor
    baseline: Baseline
    evaluations: int
    seconds: float

    def scores_of(self, index: int) -> tuple[Scores, Scores]:
        """Returns one image's scores: for the ten label prompts, for its quality prompts."""
        return self._named(self.label_scores[index], self.quality_scores[index])

    def mean_scores(self) -> tuple[Scores, Scores]:
        """Returns the batch's mean scores."""
        return self._named(self.label_scores.mean(dim=0), self.quality_scores.mean(dim=0))

    def real_scores(self) -> tuple[Scores, Scores]:
        """Returns what real test images of the same classes score on average."""
        return self._named(
            self.baseline.labels[self.labels].mean(dim=0),
            self.baseline.quality[self.labels].mean(dim=0),
        )

    def _named(self, labels: Tensor, quality: Tensor) -> tuple[Scores, Scores]:
        single = len(self.labels.unique()) == 1
        name = CLASS_NAMES[int(self.labels[0])] if single else "clothing item"
        return (
            dict(zip(label_prompts(), labels.tolist(), strict=True)),
            dict(zip(quality_prompts(name), quality.tolist(), strict=True)),
        )


class Demo:
    """The loaded model and its scorers, shared by all visitors."""

    def __init__(self, checkpoint: str | Path = BUNDLED_CHECKPOINT) -> None:
        self.pipeline = load_pipeline(checkpoint, "cuda" if torch.cuda.is_available() else "cpu")
        self._scorers: dict[str, tuple[ClipScorer, Baseline]] = {}
        self.scorer(EMBEDDED)

    def scorer(self, name: str) -> tuple[ClipScorer, Baseline]:
        """Returns a scorer with its baseline, loading both the first time.

        Raises:
            RequestError: the name is not one of SCORERS.
            ScorerError: it cannot be loaded.
        """
        if name not in SCORERS:
            raise RequestError(f"scorer is {name!r:.60}; it must be one of {', '.join(SCORERS)}.")
        if name not in self._scorers:
            scorer = load_scorer(name)
            self._scorers[name] = scorer, load_baseline(scorer)
        return self._scorers[name]

    def run(self, request: GenerateRequest, scorer_name: str) -> Iterator[Preview | Result]:
        """Yields previews while sampling, then the result.

        Raises:
            RequestError: the request asks for more than one visitor may.
            ScorerError: the scorer cannot be loaded.
        """
        check_size(request)
        scorer, baseline = self.scorer(scorer_name)
        settings, labels, seeds = SamplingSettings.of(request), request.labels(), request.seeds()
        begin = shown = time.monotonic()
        for step in self.pipeline.stream(labels, seeds, settings):
            now = time.monotonic()
            if step.index == 0 or now - shown >= PREVIEW_INTERVAL:
                shown = now
                yield Preview(preview_picture(step), step.index + 1, now - begin)
        images, targets = to_uint8(step.clean).cpu(), torch.tensor(labels)
        yield Result(
            pictures=captioned(images, labels, seeds),
            labels=targets,
            label_scores=scorer.label_scores(images),
            quality_scores=scorer.quality_scores(images, targets),
            baseline=baseline,
            evaluations=len(labels) * num_evaluations(settings, self.pipeline.scheduler),
            seconds=time.monotonic() - begin,
        )


def check_size(request: GenerateRequest) -> None:
    """Raises RequestError for a request that would keep all other visitors waiting."""
    for name, value, limit in (
        ("num_images", request.num_images, MAX_IMAGES),
        ("steps", request.num_inference_steps, MAX_STEPS),
    ):
        if value > limit:
            raise RequestError(
                f"{name} is {value}; here it must be at most {limit}: "
                "use python -m fashion_ddpm generate for more."
            )


def preview_picture(step: DenoisingStep) -> Image.Image:
    """Returns x_t in the upper rows and the predicted clean images in the lower ones."""
    noisy, clean = to_uint8(step.noisy), to_uint8(step.clean)
    columns = min(PREVIEW_COLUMNS, len(noisy))
    missing = -len(noisy) % columns
    blank = torch.zeros(missing, *noisy.shape[1:], dtype=torch.uint8, device=noisy.device)
    return grid(torch.cat([noisy, blank, clean, blank]), columns, scale=PREVIEW_SCALE)


def captioned(
    images: Tensor, labels: Sequence[int], seeds: Sequence[int]
) -> list[tuple[Image.Image, str]]:
    """Returns enlarged images, each with its class and seed."""
    return [
        (enlarge(image, IMAGE_SCALE), f"{CLASS_NAMES[label]}, seed {seed}")
        for image, label, seed in zip(images, labels, seeds, strict=True)
    ]


def schedule_note(schedule: str, num_inference_steps: int) -> str:
    """Returns what a schedule does, in words, with the numbers that say why."""
    check = check_schedule(schedule, num_inference_steps)
    return (
        f"**{check.name}**: noise over signal falls from {check.first_sigma:.3g} to "
        f"{check.last_sigma:.2g} in {num_inference_steps} steps. Verdict: {check.verdict}."
    )
