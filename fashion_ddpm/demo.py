"""What the page shows, as pictures and numbers: no gradio here, no layout."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
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
from fashion_ddpm.cost import calibrate
from fashion_ddpm.images import SETTINGS_KEY, enlarge, grid, to_uint8
from fashion_ddpm.labels import CLASS_NAMES, label_prompts, quality_prompts
from fashion_ddpm.limits import ServerLimits, check_size, check_work
from fashion_ddpm.outputs import zipped
from fashion_ddpm.pipeline import BUNDLED_CHECKPOINT, load_pipeline
from fashion_ddpm.request import GenerateRequest, RequestError, shown
from fashion_ddpm.sampling import DenoisingStep, SamplingSettings, num_evaluations
from fashion_ddpm.schedule_check import check_schedule
from fashion_ddpm.shared_unet import SharedUNet, places_on
from fashion_ddpm.supervision import Supervisor
from fashion_ddpm.trajectory import Trajectory

PRESETS = {"Fast": 6, "Balanced": 10, "Best": 20}
"""Steps of dpm++2m on the cosine schedule, by what a visitor wants."""

PREVIEW_INTERVAL = 0.1
"""Seconds between two previews: more than ten a second only costs time."""

PREVIEW_COLUMNS = 10
PREVIEW_SCALE = 4
IMAGE_SCALE = 8

Scores = dict[str, float]
"""Prompt → probability, as a label component shows them."""

Watch = Callable[[Iterator[DenoisingStep]], Iterator[DenoisingStep]]
"""Passes steps on as long as a request may go on."""


@dataclass(frozen=True)
class Preview:
    """The images on their way: x_t above, the predicted clean images below."""

    picture: Image.Image
    steps_done: int
    seconds: float


@dataclass(frozen=True, eq=False)  # so that gradio can tell a new result from the last
class Result:
    """Finished images, how they came to be, and what the scorer says of them.

    Attributes:
        request: what was asked for.
        scorer: the scorer's name.
        noisy: uint8 [K, B, 28, 28], x_t before each step.
        clean: uint8 [K, B, 28, 28], the clean images predicted there; the last ones are the images.
        alpha_bar: float64 [K], share of the images' power in x_t.
        label_scores: float32 [B, 10].
        quality_scores: float32 [B, 3].
        baseline: what real test images score.
        evaluations: UNet evaluations of single images.
        seconds: from the request to the last step, without scoring.
    """

    request: GenerateRequest
    scorer: str
    noisy: Tensor
    clean: Tensor
    alpha_bar: np.ndarray
    label_scores: Tensor
    quality_scores: Tensor
    baseline: Baseline
    evaluations: int
    seconds: float

    @property
    def labels(self) -> Tensor:
        """What was asked for: int64 [B]."""
        return torch.tensor(self.request.labels())

    def pictures(self) -> list[tuple[Image.Image, str]]:
        """Returns the enlarged images with their settings inside, each with class and seed."""
        found = []
        for index, image in enumerate(self.clean[-1]):
            alone = self.request.of_image(index)
            picture = enlarge(image, IMAGE_SCALE)
            picture.info[SETTINGS_KEY] = json.dumps(alone.as_settings())
            found.append((picture, f"{alone.class_name}, seed {alone.seed}"))
        return found

    def last_preview(self) -> Preview:
        """Returns the preview of the last step."""
        picture = preview_picture(self.noisy[-1], self.clean[-1])
        return Preview(picture, len(self.noisy), self.seconds)

    def archive(self) -> bytes:
        """Returns a zip file of the images as drawn, with their settings and scores."""
        names = label_prompts()
        notes = [
            {"label_scores": dict(zip(names, row, strict=True))}
            for row in self.label_scores.tolist()
        ]
        return zipped(self.clean[-1], self.request, notes)

    def scores_of(self, index: int) -> tuple[Scores, Scores]:
        """Returns one image's scores: for the ten label prompts, for its quality prompts."""
        name = self._class_of(index)
        return _named(self.label_scores[index], self.quality_scores[index], name)

    def mean_scores(self) -> tuple[Scores, Scores]:
        """Returns the batch's mean scores."""
        name = self._class_of(0) if len(self.labels.unique()) == 1 else "clothing item"
        return _named(self.label_scores.mean(dim=0), self.quality_scores.mean(dim=0), name)

    def real_scores(self, index: int) -> tuple[Scores, Scores]:
        """Returns what real test images of one image's class score on average."""
        label, real = self.labels[index], self.baseline
        return _named(real.labels[label], real.quality[label], self._class_of(index))

    def _class_of(self, index: int) -> str:
        return CLASS_NAMES[int(self.labels[index])]


def _named(labels: Tensor, quality: Tensor, class_name: str) -> tuple[Scores, Scores]:
    """Returns a row of label scores and one of quality scores, each with its prompts."""
    return (
        dict(zip(label_prompts(), labels.tolist(), strict=True)),
        dict(zip(quality_prompts(class_name), quality.tolist(), strict=True)),
    )


class Demo:
    """The loaded model and its scorers, shared by all visitors.

    Attributes:
        pipeline: the model; whoever streams from it shares the UNet with all others.
        unet: what they share.
        second: a model to compare it with, if there is one.
        cost: how long a request takes while nobody else is here.
        limits: what one visitor may ask.
        supervisor: how requests ended so far, and whether the app is well.
    """

    def __init__(
        self,
        checkpoint: str | Path = BUNDLED_CHECKPOINT,
        second: str | Path | None = None,
        limits: ServerLimits | None = None,
    ) -> None:
        self.limits = limits or ServerLimits()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.pipeline = load_pipeline(checkpoint, device)
        self.second = load_pipeline(second, device) if second else None
        self.cost = calibrate(self.pipeline)
        self.unet = SharedUNet(self.pipeline.predict, places_on(self.pipeline.device))
        self.pipeline.predict = self.unet
        self.supervisor = Supervisor(self.pipeline, self.limits.max_seconds)
        self._loading = threading.Lock()
        self._scorers: dict[str, tuple[ClipScorer, Baseline]] = {}
        self.scorer(EMBEDDED)

    def scorer(self, name: str) -> tuple[ClipScorer, Baseline]:
        """Returns a scorer with its baseline, loading both the first time.

        Raises:
            RequestError: the name is not one of SCORERS.
            ScorerError: it cannot be loaded.
        """
        if not isinstance(name, str) or name not in SCORERS:
            raise RequestError(f"scorer is {shown(name)}; it must be one of {', '.join(SCORERS)}.")
        if name not in self._scorers:
            with self._loading:
                if name not in self._scorers:
                    scorer = load_scorer(name)
                    self._scorers[name] = scorer, load_baseline(scorer)
        return self._scorers[name]

    def check(self, request: GenerateRequest) -> None:
        """Raises RequestError for a request that would keep all other visitors waiting."""
        check_size(request)
        evaluations = num_evaluations(SamplingSettings.of(request), self.pipeline.scheduler)
        check_work(request.num_images * evaluations, self.limits)

    def run(
        self, request: GenerateRequest, scorer_name: str, watch: Watch = iter
    ) -> Iterator[Preview | Result]:
        """Yields previews while sampling, then the result.

        Args:
            request: what to draw.
            scorer_name: who judges it.
            watch: ends the request when it must not go on.

        Raises:
            RequestError: the request asks for more than one visitor may.
            ScorerError: the scorer cannot be loaded.
        """
        self.check(request)
        scorer, baseline = self.scorer(scorer_name)
        settings, labels, seeds = SamplingSettings.of(request), request.labels(), request.seeds()
        noisy, clean, alpha_bar = [], [], []
        begin = shown = time.monotonic()
        for step in watch(self.pipeline.stream(labels, seeds, settings)):
            noisy.append(to_uint8(step.noisy).cpu())
            clean.append(to_uint8(step.clean).cpu())
            alpha_bar.append(step.alpha_bar)
            now = time.monotonic()
            if step.index == 0 or now - shown >= PREVIEW_INTERVAL:
                shown = now
                picture = preview_picture(noisy[-1], clean[-1])
                yield Preview(picture, step.index + 1, now - begin)
        seconds = time.monotonic() - begin
        yield Result(
            request=request,
            scorer=scorer_name,
            noisy=torch.stack(noisy),
            clean=torch.stack(clean),
            alpha_bar=np.array(alpha_bar),
            label_scores=scorer.label_scores(clean[-1]),
            quality_scores=scorer.quality_scores(clean[-1], torch.tensor(labels)),
            baseline=baseline,
            evaluations=len(labels) * num_evaluations(settings, self.pipeline.scheduler),
            seconds=seconds,
        )

    def way(self, result: Result, index: int) -> Trajectory:
        """Returns the way that one image of a result went, scored at every step."""
        scorer, _ = self.scorer(result.scorer)
        clean = result.clean[:, index]
        return Trajectory(
            result.noisy[:, index],
            clean,
            result.alpha_bar,
            scorer.label_scores(clean),
            result.request.labels()[index],
        )


def preview_picture(noisy: Tensor, clean: Tensor) -> Image.Image:
    """Returns x_t in the upper rows and the predicted clean images in the lower ones.

    Args:
        noisy: uint8 [B, 28, 28].
        clean: uint8 [B, 28, 28].
    """
    rows = -(-len(noisy) // PREVIEW_COLUMNS)
    columns = -(-len(noisy) // rows)
    missing = -len(noisy) % columns
    blank = torch.zeros(missing, *noisy.shape[1:], dtype=torch.uint8)
    return grid(torch.cat([noisy, blank, clean, blank]), columns, scale=PREVIEW_SCALE)


def schedule_note(schedule: str, num_inference_steps: int) -> str:
    """Returns what a schedule does, in words, with the numbers that say why."""
    check = check_schedule(schedule, num_inference_steps)
    return (
        f"**{check.name}**: noise over signal falls from {check.first_sigma:.3g} to "
        f"{check.last_sigma:.2g} in {num_inference_steps} steps. Verdict: {check.verdict}."
    )
