"""Estimate how long a request takes on this machine."""

import itertools
import math
import statistics
import time
from collections import deque
from dataclasses import dataclass, field

from diffusers import DDPMScheduler

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.wording import format_seconds, quantity
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.sampling import CPU_CHUNK, SamplingSettings, num_evaluations

CALIBRATION_STEPS = 4

NUM_REMEMBERED = 9
"""Finished requests that an estimate is based on."""


@dataclass
class CostMeter:
    """How long UNet calls take on this machine.

    Attributes:
        calibrated: seconds of one call on CPU_CHUNK images, measured at the start, with the
            sampler's part.
        noise_scheduler: the checkpoint's noise schedule, which decides where guidance acts.
        finished: seconds of one call in each of the newest requests.
    """

    calibrated: float
    noise_scheduler: DDPMScheduler
    finished: deque[float] = field(default_factory=lambda: deque(maxlen=NUM_REMEMBERED))

    @property
    def seconds_per_call(self) -> float:
        """Median of the newest requests, which reflect the current load."""
        return statistics.median(self.finished) if self.finished else self.calibrated

    def learn(self, request: GenerateRequest, seconds: float) -> None:
        """Include the time of a finished request.

        Requests whose last call was not full are ignored: their calls would seem too cheap.
        """
        if request.num_images % CPU_CHUNK == 0:
            calls = num_evaluations(SamplingSettings.from_request(request), self.noise_scheduler)
            self.finished.append(seconds / (calls * request.num_images / CPU_CHUNK))

    def seconds(self, request: GenerateRequest) -> float:
        """Return the expected time of a request, in seconds, without scoring."""
        calls = num_evaluations(SamplingSettings.from_request(request), self.noise_scheduler)
        return calls * math.ceil(request.num_images / CPU_CHUNK) * self.seconds_per_call

    def sentence(self, request: GenerateRequest) -> str:
        """Return the estimate as a sentence."""
        evaluations = num_evaluations(SamplingSettings.from_request(request), self.noise_scheduler)
        return (
            f"About **{format_seconds(self.seconds(request))}**: "
            f"{quantity(request.num_images, 'image')} × "
            f"{quantity(evaluations, 'network evaluation')}"
        )


def calibrate(pipeline: FashionDDPMPipeline) -> CostMeter:
    """Time a few steps of a batch; the first one is a warm-up, and the fastest one counts.

    Other processes can only make a step slower.
    """
    settings = SamplingSettings(num_inference_steps=CALIBRATION_STEPS)
    times = [time.perf_counter()]
    for step in pipeline.stream([0] * CPU_CHUNK, range(CPU_CHUNK), settings):
        step.clean.sum().item()  # waits for an accelerator
        times.append(time.perf_counter())
    spans = [after - before for before, after in itertools.pairwise(times[1:])]
    return CostMeter(min(spans), pipeline.scheduler)
