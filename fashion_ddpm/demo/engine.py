"""The loaded model and its scorers, which all visitors share."""

import dataclasses
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.core.config import SCHEDULES, TURBO
from fashion_ddpm.core.distributed import this_process
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest, RequestError, safe_repr
from fashion_ddpm.demo.results import Frame, KeptResults, Preview, Result
from fashion_ddpm.demo.share import SharedSettings
from fashion_ddpm.demo.trajectory import Trajectory
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, short_weights_hash
from fashion_ddpm.diffusion.sampling import DenoisingStep, SamplingSettings, num_evaluations
from fashion_ddpm.runtime.cost import calibrate
from fashion_ddpm.runtime.dynamic_batching import BatchingUNet, max_rows_on
from fashion_ddpm.scoring.clip import (
    EMBEDDED,
    NO_SCORER,
    SCORERS,
    NoScorer,
    Scorer,
    can_score,
    load_scorer,
)
from fashion_ddpm.scoring.clip_baseline import Baseline, load_baseline
from fashion_ddpm.scoring.errors import ScoringError
from fashion_ddpm.server.limits import ServerLimits, check_size, check_work
from fashion_ddpm.server.monitoring import Monitor

PRESETS = {
    "Fast": SamplingSettings("karras", "dpm++2m", 6),
    "Balanced": SamplingSettings("karras", "dpm++2m", 10),
    "Best": SamplingSettings("karras", "dpm++2m", 20),
}
"""The best settings found for so many steps (docs/experiments.md)."""

PREVIEW_INTERVAL_SECONDS = 0.1
"""Minimum time between two previews."""

StepWrapper = Callable[[Iterator[DenoisingStep]], Iterator[DenoisingStep]]
"""Passes on steps, and raises when the request has timed out or was stopped."""


class Demo:
    """The loaded model and its scorers, shared by all visitors.

    Attributes:
        pipeline: the base network, whose UNet batches the calls of all visitors.
        networks: (pipeline, batching UNet) of the base network and of the distilled one for turbo.
        unet: the batching UNet of the base network.
        has_turbo: whether the sampler turbo can be used.
        second_pipeline: the pipeline of --compare-with, if there is one.
        model: the start of the checksum of the base network's weights.
        short_weights_hash: pipeline → the start of the checksum of its weights.
        kind: the kind of images that all networks draw.
        scorers: names of the scorers; the first one needs no download.
        cost: estimates the time of a request from the newest ones.
        limits: limits for a visitor's requests.
        monitor: counts of requests, and the health of the app.
        kept: the newest results of Compare, which Create shows at once.
    """

    def __init__(
        self,
        checkpoint: str | Path = BUNDLED_CHECKPOINT,
        compare_with: str | Path | None = None,
        limits: ServerLimits | None = None,
    ) -> None:
        self.limits = limits or ServerLimits()
        device = str(this_process().device)
        self.pipeline = load_pipeline(checkpoint, device)
        self.kind = self.pipeline.kind
        self.second_pipeline = second = load_optional_network(
            "--compare-with", lambda: load_pipeline(compare_with, device) if compare_with else None
        )
        if second and second.class_names != self.kind.class_names:
            raise RequestError(f"{compare_with} draws {second.kind}; {checkpoint} {self.kind}.")
        # Hashing takes 0.1 s, and the weights do not change.
        self.short_weights_hash = functools.cache(short_weights_hash)
        self.model = self.short_weights_hash(self.pipeline)
        self.cost = calibrate(self.pipeline)
        distilled = load_optional_network(
            "The sampler turbo", lambda: self.pipeline.distilled_network
        )
        self.has_turbo = self.pipeline.is_distilled or distilled is not None
        self.networks = [
            (each, _install_batching_unet(each)) for each in (self.pipeline, distilled) if each
        ]
        self.unet = self.networks[0][1]
        self.monitor = Monitor(self.pipeline, self.limits.max_seconds)
        self.kept = KeptResults()
        self._loading = threading.Lock()
        self._scorers = load_optional_scorers(self.kind)
        self.scorers = (*self._scorers, *(name for name in SCORERS if name != EMBEDDED))

    def close(self) -> None:
        """Stop the threads that call the networks."""
        for _, unet in self.networks:
            unet.close()

    def check_scorer(self, name: str) -> None:
        """Raise RequestError unless a scorer is one of `scorers`."""
        if not isinstance(name, str) or name not in self.scorers:
            allowed = ", ".join(self.scorers)
            raise RequestError(f"is {safe_repr(name)}; it must be one of {allowed}.", "scorer")

    def scorer(self, name: str) -> tuple[Scorer, Baseline | None]:
        """Return a scorer with its baseline; load both the first time.

        Raises:
            RequestError: there is no such scorer.
            ScoringError: it cannot be loaded.
        """
        self.check_scorer(name)
        if name not in self._scorers:
            with self._loading:
                if name not in self._scorers:
                    scorer = load_scorer(name, self.kind)
                    self._scorers[name] = scorer, load_baseline(scorer)
        return self._scorers[name]

    def _choose_scorer(self, name: str) -> tuple[str, str]:
        """Return this scorer, or the default and why this one cannot be loaded."""
        try:
            self.scorer(name)
            return name, ""
        except ScoringError as error:
            default = self.scorers[0]
            instead = f"the scores are of {default}" if default != NO_SCORER else "there are none"
            return default, f"{error} Until then {instead}."

    def check(self, request: GenerateRequest) -> None:
        """Raise UserError for a request that exceeds the limits or has no network."""
        check_size(request.num_images, request.num_inference_steps)
        self.pipeline.network_for(request.sampler)
        check_work(self.evaluations(request), self.limits)

    def evaluations(self, request: GenerateRequest) -> int:
        """Return the UNet evaluations of a request, summed over its images."""
        settings = SamplingSettings.from_request(request)
        return request.num_images * num_evaluations(settings, self.pipeline.scheduler)

    def run(
        self, request: GenerateRequest, scorer_name: str, wrap_steps: StepWrapper = iter
    ) -> Iterator[Preview | Result]:
        """Yield previews while sampling, then the result; a kept one is yielded at once.

        If the scorer cannot be loaded, the default scores instead, and the result has a warning.

        Args:
            request: what to draw.
            scorer_name: one of `scorers`.
            wrap_steps: raises when the request must end.

        Raises:
            RequestError: the request exceeds the limits, or there is no such scorer.
        """
        self.check(request)
        self.check_scorer(scorer_name)
        kept = self.kept.get(SharedSettings(request, self.model_for(request), scorer_name))
        if kept:
            list(wrap_steps(iter(())))  # no step, but it ends the visitor's previous run
            yield kept
            return
        frames: list[Frame] = []
        begin = last_preview = time.monotonic()
        for step in wrap_steps(self.pipeline.stream_request(request)):
            frames.append(Frame.from_step(step))
            now = time.monotonic()
            if step.index == 0 or now - last_preview >= PREVIEW_INTERVAL_SECONDS:
                last_preview = now
                yield frames[-1].preview(step.index + 1, now - begin)
        seconds = time.monotonic() - begin
        self.cost.learn(request, seconds)
        # Load the scorer only now: a download may be slow or fail, and the images are ready.
        if scorer_name not in self._scorers:
            yield frames[-1].preview(len(frames), seconds)
        scorer_name, warning = self._choose_scorer(scorer_name)
        result = self.score(self.pipeline, request, frames, seconds, scorer_name)
        yield dataclasses.replace(result, warning=warning)

    def score(
        self,
        pipeline: FashionDDPMPipeline,
        request: GenerateRequest,
        frames: Sequence[Frame],
        seconds: float,
        scorer_name: str,
    ) -> Result:
        """Return the result of a request that a pipeline has drawn.

        Args:
            pipeline: what drew it.
            request: what was requested.
            frames: all steps.
            seconds: the time they took.
            scorer_name: one of `scorers`.
        """
        scorer, baseline = self.scorer(scorer_name)
        clean = frames[-1].clean
        return Result(
            request=request,
            scorer=scorer_name,
            model=self.short_weights_hash(pipeline.network_for(request.sampler)),
            noisy=torch.stack([frame.noisy for frame in frames]),
            clean=torch.stack([frame.clean for frame in frames]),
            alpha_bar=np.array([frame.alpha_bar for frame in frames]),
            label_scores=scorer.label_scores(clean),
            quality_scores=scorer.quality_scores(clean, torch.tensor(request.labels())),
            baseline=baseline,
            evaluations=self.evaluations(request),
            seconds=seconds,
            kind=self.kind,
        )

    def draw(self, request: GenerateRequest, scorer_name: str) -> Result:
        """Return the result of `run`."""
        *_, result = self.run(request, scorer_name)
        assert isinstance(result, Result)
        return result

    def model_for(self, request: GenerateRequest) -> str:
        """Return the short weights hash of the network that draws a request."""
        return self.short_weights_hash(self.pipeline.network_for(request.sampler))

    def trajectory(self, result: Result, index: int) -> Trajectory:
        """Return the trajectory of one image of a result, scored at every step."""
        scorer, _ = self.scorer(result.scorer)
        clean = result.clean[:, index]
        return Trajectory(
            result.noisy[:, index],
            clean,
            scorer.label_scores(clean),
            result.request.labels()[index],
            self.kind.class_names,
        )


def _install_batching_unet(pipeline: FashionDDPMPipeline) -> BatchingUNet:
    """Make a pipeline predict by a UNet that batches concurrent calls, and return that."""
    unet = BatchingUNet(pipeline.predict, max_rows_on(pipeline.device))
    pipeline.predict = unet
    return unet


def offered_schedules(demo: Demo) -> list[str]:
    """Return the schedules on offer: "report" only for Fashion-MNIST, which it is about."""
    return [each for each in SCHEDULES if each != "report" or demo.kind.is_fashion_mnist]


def default_request(demo: Demo) -> GenerateRequest:
    """Return the request that the page opens with."""
    names = demo.kind.class_names
    return GenerateRequest(names[-1], class_names=names)


def presets(demo: Demo) -> dict[str, SamplingSettings]:
    """Return the presets by name, with Turbo where there is a distilled network."""
    if not demo.has_turbo:
        return PRESETS
    return {"Turbo": demo.pipeline.network_for(TURBO).default_settings, **PRESETS}


def load_optional_network(
    name: str, load: Callable[[], FashionDDPMPipeline | None]
) -> FashionDDPMPipeline | None:
    """Return a network, or None if there is none or, with a message, if it cannot be loaded."""
    try:
        return load()
    except CheckpointError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return None


def load_optional_scorers(kind: ImageKind) -> dict[str, tuple[Scorer, Baseline | None]]:
    """Return the one scorer of such images that needs no download: name → scorer, baseline."""
    if can_score(EMBEDDED, kind):
        try:
            scorer = load_scorer(EMBEDDED, kind)
            return {EMBEDDED: (scorer, load_baseline(scorer))}
        except ScoringError as error:
            print(f"Images are drawn without scores: {error}", file=sys.stderr)
    return {NO_SCORER: (NoScorer(), None)}
