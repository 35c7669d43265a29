"""How many images a run sees in so many minutes: measured on its own steps before it begins."""

import dataclasses
import math
import time
from collections.abc import Callable

import torch
from accelerate import PartialState
from torch import Tensor

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.distributed import gather_parts
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.sampling import CPU_CHUNK
from fashion_ddpm.runtime.backends import example_inputs
from fashion_ddpm.training.network import Network
from fashion_ddpm.training.run_folder import RunFolder
from fashion_ddpm.training.validation import FRECHET_STEPS, SAMPLE_BATCH_SIZE

MEASURING_SHARE = 0.05
"""Share of the minutes that measuring the speed may take."""

MAX_MEASURING_SECONDS = 20.0
"""Longest time, in seconds, that measuring the speed may take."""

RESERVED_SHARE = 0.03
"""Share of the minutes that is kept for what cannot be measured in advance."""

MAX_FRECHET_SHARE = 0.1
"""Fréchet distances that would take more than this share of the minutes are left out."""

PREVIEW_ROWS = 400
"""Images in calls of the network for one grid: two of each of ten classes, twenty steps."""

SAVE_SECONDS = 1.0
"""Time of saving a state and publishing the weights."""


@dataclasses.dataclass(frozen=True)
class Costs:
    """What a run's parts take on this machine, in seconds.

    Attributes:
        step: an optimizer step.
        loss_row: one image of a validation.
        sampling_row: one image in one call of the network while sampling.
    """

    step: float
    loss_row: float
    sampling_row: float


def time_calls(call: Callable[[], Tensor], seconds: float) -> float:
    """Return the mean time of a call, seconds, on the slowest process.

    Args:
        call: what is timed; its first two calls are not.
        seconds: about how long to measure; at least two calls are, in all processes equally many.
    """
    times = [_time_call(call) for _ in range(2)]
    count = max(2, int(gather_parts(seconds / times[-1])[0]))
    return max(gather_parts(sum(_time_call(call) for _ in range(count)) / count))


def _time_call(call: Callable[[], Tensor]) -> float:
    begin = time.perf_counter()
    call().sum().item()  # an accelerator's work is over when its result is here
    return time.perf_counter() - begin


def measure_costs(
    network: Network, step: Callable[[], Tensor], seconds: float, ranks: PartialState
) -> Costs:
    """Measure what a run's parts take; the weights are changed.

    Args:
        network: the run's.
        step: takes an optimizer step.
        seconds: about how long to measure.
        ranks: this process among all.
    """
    count = CPU_CHUNK if ranks.device.type == "cpu" else SAMPLE_BATCH_SIZE
    with network.ema_pipeline() as pipeline, torch.no_grad():
        rows = [part.to(ranks.device) for part in example_inputs(pipeline.unet, count)]
        call = time_calls(lambda: pipeline.predict(*rows), seconds / 10)
    step_seconds = time_calls(step, seconds)
    return Costs(
        step=step_seconds,
        # A forward pass is a third of a step; every process takes its share of the rows.
        loss_row=step_seconds / 3 / network.config.batch_size,
        sampling_row=call / count / ranks.num_processes,
    )


def config_for_minutes(
    config: TrainConfig, start_time: float, measure: Callable[[float], Costs]
) -> TrainConfig:
    """Return the config with the length that fits into its minutes; one without minutes is kept.

    A run that was begun keeps the length that it was given then; all processes get the same one.

    Args:
        config: the run.
        start_time: when the command began, as time.monotonic() tells it.
        measure: measures the costs within so many seconds.

    Raises:
        ConfigError: the minutes are too few for a step and what follows it, or there is a
            cool-down of a given length, which minutes choose themselves.
    """
    if not config.minutes:
        return config
    if config.cool_down_images:
        raise ConfigError(
            f"--cool-down-images is {config.cool_down_images}, but --minutes chooses its length; "
            "leave one of them out."
        )
    folder = RunFolder(config.output_dir)
    if folder.config.exists():
        before = folder.read_settings()
        names = ("images_total", "cool_down_images", "warmup_steps", "frechet_every")
        return dataclasses.replace(config, **{name: before[name] for name in names})
    seconds = 60 * config.minutes
    costs = measure(min(MAX_MEASURING_SECONDS, MEASURING_SHARE * seconds))
    left = seconds * (1 - RESERVED_SHARE) - (time.monotonic() - start_time)
    return fit_run_length(config, min(gather_parts(left)), costs)


def fit_run_length(config: TrainConfig, seconds: float, costs: Costs) -> TrainConfig:
    """Return the config with as many images as training, measuring and saving fit into a time.

    Args:
        config: the run.
        seconds: the time.
        costs: what its parts take.

    Raises:
        ConfigError: the time is too short.
    """
    distance = config.frechet_images * FRECHET_STEPS * costs.sampling_row
    if distance > MAX_FRECHET_SHARE * seconds:
        config = dataclasses.replace(config, frechet_every=0)
    preview = PREVIEW_ROWS * costs.sampling_row
    events = [
        (config.validation_images * costs.loss_row, config.validate_every),
        (preview, config.preview_every),
        (SAVE_SECONDS, config.save_every),
        *([(distance, config.frechet_every)] if config.frechet_every else []),
    ]
    # Each event comes once at the end, and once every so many images before that.
    at_the_end = sum(cost for cost, _ in events)
    per_image = costs.step / config.batch_size + sum(cost / every for cost, every in events)
    steps = math.floor((seconds - at_the_end) / per_image / config.batch_size)
    if steps < 1:
        raise ConfigError(
            f"--minutes is {config.minutes}; starting, one step and the measurements at the end "
            f"take about {(config.minutes * 60 - seconds + at_the_end + costs.step) / 60:.1f} "
            "minutes on this machine: give more, or fewer --validation-images."
        )
    return dataclasses.replace(
        config,
        images_total=steps * config.batch_size,
        # The rate of a short run should not spend it rising.
        warmup_steps=min(config.warmup_steps, steps // 10),
        cool_down_images=steps * config.batch_size // 5 if config.lr_schedule == "constant" else 0,
    )
