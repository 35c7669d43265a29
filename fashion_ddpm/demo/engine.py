"""The loaded model and its scorers, which all visitors of the page share."""

import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from fashion_ddpm.core.config import SCHEDULES
from fashion_ddpm.core.images import to_uint8
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest, RequestError, safe_repr
from fashion_ddpm.core.wording import format_number, quantity
from fashion_ddpm.demo.optional_networks import load_optional_network, load_optional_scorers
from fashion_ddpm.demo.results import Preview, Result, preview_picture
from fashion_ddpm.demo.trajectory import Trajectory
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, model_of
from fashion_ddpm.diffusion.sampling import DenoisingStep, SamplingSettings, num_evaluations
from fashion_ddpm.diffusion.schedule_check import check_schedule
from fashion_ddpm.runtime.cost import calibrate
from fashion_ddpm.runtime.dynamic_batching import BatchingUNet, rows_on
from fashion_ddpm.scoring.clip import EMBEDDED, NO_SCORER, SCORERS, Scorer, load_scorer
from fashion_ddpm.scoring.clip_baseline import Baseline, load_baseline
from fashion_ddpm.scoring.errors import ScoringError
from fashion_ddpm.server.limits import ServerLimits, check_size, check_work
from fashion_ddpm.server.monitoring import Monitor

PRESETS = {
    "Fast": SamplingSettings("sigmoid", "dpm++2m", 6),
    "Balanced": SamplingSettings("sigmoid", "dpm++2m", 10),
    "Best": SamplingSettings("sigmoid", "dpm++2m-sde", 20),
}
"""The nearest to real images that so many steps come (docs/experiments.md), by what one wants."""

PREVIEW_INTERVAL_SECONDS = 0.1
"""Seconds between two previews: more than ten a second only costs time."""

StepWrapper = Callable[[Iterator[DenoisingStep]], Iterator[DenoisingStep]]
"""Wraps an iterator of steps; raises when the request timed out or was stopped."""


class Demo:
    """The loaded model and its scorers, shared by all visitors.

    Attributes:
        pipeline: the model; whoever streams from it shares the UNet with all others.
        networks: (pipeline, batching UNet) of the base network and of the distilled one for turbo.
        unet: the batching UNet of the base network.
        has_turbo: whether the sampler turbo can be used.
        second_pipeline: the pipeline of --compare-with, if there is one.
        model: the start of the checksum of the model's weights.
        model_of: the same of any of the loaded networks.
        kind: what both draw.
        scorers: who may be asked about that; the first one is at hand.
        cost: how long a request takes, as the newest ones took.
        limits: what one visitor may ask.
        monitor: how requests ended so far, and whether the app is well.
    """

    def __init__(
        self,
        checkpoint: str | Path = BUNDLED_CHECKPOINT,
        compare_with: str | Path | None = None,
        limits: ServerLimits | None = None,
    ) -> None:
        self.limits = limits or ServerLimits()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.pipeline = load_pipeline(checkpoint, device)
        self.second_pipeline = load_optional_network(
            "--compare-with", lambda: load_pipeline(compare_with, device) if compare_with else None
        )
        self.kind = self.pipeline.kind
        if self.second_pipeline and self.second_pipeline.class_names != self.kind.class_names:
            raise RequestError(
                f"{compare_with} draws {self.second_pipeline.kind}; {checkpoint} {self.kind}."
            )
        self.model_of = functools.cache(model_of)  # a tenth of a second; nothing trains here
        self.model = self.model_of(self.pipeline)
        self.cost = calibrate(self.pipeline)
        distilled = load_optional_network(
            "The sampler turbo", lambda: self.pipeline.distilled_network
        )
        self.has_turbo = self.pipeline.distilled or distilled is not None
        self.networks = [
            (each, _install_batching_unet(each)) for each in (self.pipeline, distilled) if each
        ]
        self.unet = self.networks[0][1]
        self.monitor = Monitor(self.pipeline, self.limits.max_seconds)
        self._loading = threading.Lock()
        self._scorers = load_optional_scorers(self.kind)
        others = [name for name in SCORERS if name != EMBEDDED]
        self.scorers = (*self._scorers, *others)

    def close(self) -> None:
        """End the threads that call the networks."""
        for _, unet in self.networks:
            unet.close()

    def check_scorer(self, name: str) -> None:
        """Raise RequestError for a scorer that is none of those to be had."""
        if not isinstance(name, str) or name not in self.scorers:
            allowed = ", ".join(self.scorers)
            raise RequestError(f"is {safe_repr(name)}; it must be one of {allowed}.", "scorer")

    def scorer(self, name: str) -> tuple[Scorer, Baseline | None]:
        """Return a scorer with its baseline, loading both the first time.

        Raises:
            RequestError: the name is not one of those to be had.
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
        """Return the scorer that can be had, and why it is another one than was asked for."""
        try:
            self.scorer(name)
            return name, ""
        except ScoringError as error:
            at_hand = self.scorers[0]
            instead = f"the scores are of {at_hand}" if at_hand != NO_SCORER else "there are none"
            return at_hand, f"{error} Until then {instead}."

    def check(self, request: GenerateRequest) -> None:
        """Raise UserError for a request that would keep others waiting, or that none can draw."""
        check_size(request.num_images, request.num_inference_steps)
        self.pipeline.drawing_with(request.sampler)
        check_work(self.evaluations(request), self.limits)

    def evaluations(self, request: GenerateRequest) -> int:
        """Return the UNet evaluations that a request costs, all images together."""
        settings = SamplingSettings.of(request)
        return request.num_images * num_evaluations(settings, self.pipeline.scheduler)

    def run(
        self, request: GenerateRequest, scorer_name: str, wrap_steps: StepWrapper = iter
    ) -> Iterator[Preview | Result]:
        """Yield previews while sampling, then the result.

        Where the scorer cannot be loaded, the one at hand scores instead, and the result says so.

        Args:
            request: what to draw.
            scorer_name: who scores it.
            wrap_steps: ends the request when it must not go on.

        Raises:
            RequestError: the request asks for more than one visitor may, or for another scorer.
        """
        self.check(request)
        self.check_scorer(scorer_name)
        noisy, clean, alpha_bar = [], [], []
        begin = shown = time.monotonic()
        for step in wrap_steps(self.pipeline.stream_request(request)):
            noisy.append(to_uint8(step.noisy).cpu())
            clean.append(to_uint8(step.clean).cpu())
            alpha_bar.append(step.alpha_bar)
            now = time.monotonic()
            if step.index == 0 or now - shown >= PREVIEW_INTERVAL_SECONDS:
                shown = now
                picture = preview_picture(noisy[-1], clean[-1])
                yield Preview(picture, step.index + 1, now - begin)
        seconds = time.monotonic() - begin
        self.cost.learn(request, seconds)
        # Only now: a scorer may have to be downloaded, and the images are worth having without.
        if scorer_name not in self._scorers:
            yield Preview(preview_picture(noisy[-1], clean[-1]), len(noisy), seconds)
        scorer_name, warning = self._choose_scorer(scorer_name)
        scorer, baseline = self.scorer(scorer_name)
        yield Result(
            request=request,
            scorer=scorer_name,
            warning=warning,
            model=self.model_for(request),
            noisy=torch.stack(noisy),
            clean=torch.stack(clean),
            alpha_bar=np.array(alpha_bar),
            label_scores=scorer.label_scores(clean[-1]),
            quality_scores=scorer.quality_scores(clean[-1], torch.tensor(request.labels())),
            baseline=baseline,
            evaluations=self.evaluations(request),
            seconds=seconds,
            kind=self.kind,
        )

    def model_for(self, request: GenerateRequest) -> str:
        """Return the start of the checksum of the weights that draw a request."""
        return self.model_of(self.pipeline.drawing_with(request.sampler))

    def trajectory(self, result: Result, index: int) -> Trajectory:
        """Return the trajectory of one image of a result, scored at every step."""
        scorer, _ = self.scorer(result.scorer)
        clean = result.clean[:, index]
        return Trajectory(
            result.noisy[:, index],
            clean,
            result.alpha_bar,
            scorer.label_scores(clean),
            result.request.labels()[index],
            self.kind.class_names,
        )


def _install_batching_unet(pipeline: FashionDDPMPipeline) -> BatchingUNet:
    """Put a UNet into a pipeline that all who stream from it share."""
    unet = BatchingUNet(pipeline.predict, rows_on(pipeline.device))
    pipeline.predict = unet
    return unet


def offered_schedules(demo: Demo) -> list[str]:
    """Return what is offered: the report's own failure only beside its story."""
    return [each for each in SCHEDULES if each != "report" or demo.kind.is_fashion_mnist]


def schedule_note(schedule: str, num_inference_steps: int) -> str:
    """Return what a schedule does, in words, with the numbers that say why."""
    check = check_schedule(schedule, num_inference_steps)
    begin, end = format_number(check.first_sigma), format_number(check.last_sigma)
    levels = f"falls from {begin} to {end}" if num_inference_steps > 1 else f"is {begin}"
    return (
        f"**{check.name}**: noise over signal {levels} in {quantity(num_inference_steps, 'step')}. "
        f"Verdict: {check.verdict}."
    )
