"""How many images a run can train on in a given time, from measurements of its own steps."""

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
from fashion_ddpm.training.cuda_graph import WARM_UP_CALLS
from fashion_ddpm.training.network import Network
from fashion_ddpm.training.run_folder import RunFolder
from fashion_ddpm.training.validation import FRECHET_STEPS, SAMPLE_BATCH_SIZE

MEASURING_SHARE = 0.05
"""Largest share of the minutes to spend on measuring the speed."""

MAX_MEASURING_SECONDS = 20.0
"""Longest time to spend on measuring the speed."""

RESERVED_SHARE = 0.03
"""Share of the minutes reserved for what cannot be measured in advance."""

MAX_FRECHET_SHARE = 0.1
"""Fréchet distances are disabled if one takes more than this share of the minutes."""

PREVIEW_ROWS = 100
"""Images passed through the network for one preview: one of each of ten classes, ten steps."""

SAVE_SECONDS = 1.0
"""Estimated time of saving a state and the checkpoint."""


@dataclasses.dataclass(frozen=True)
class Costs:
    """What the parts of a run cost on this machine, in seconds.

    Attributes:
        step: one optimizer step.
        loss_row: one image of a validation.
        sampling_row: one image in one evaluation of the network while sampling.
    """

    step: float
    loss_row: float
    sampling_row: float


def time_calls(call: Callable[[], Tensor], seconds: float, device: torch.device) -> float:
    """Return the mean time of a call in seconds, on the slowest process.

    Args:
        call: the function to time.
        seconds: about how long to measure: at least one call after the warm-up, the same number in
            all processes.
        device: where it runs; on a GPU a graph is captured in the last call of the warm-up.
    """
    warm_up = 1 if device.type == "cpu" else WARM_UP_CALLS + 1
    times = [_time_call(call) for _ in range(warm_up)]
    count = max(1, int(gather_parts(seconds / times[-1])[0]))
    return max(gather_parts(sum(_time_call(call) for _ in range(count)) / count))


def _time_call(call: Callable[[], Tensor]) -> float:
    begin = time.perf_counter()
    call().sum().item()  # waits for an asynchronous device
    return time.perf_counter() - begin


def measure_costs(
    network: Network, step: Callable[[], Tensor], seconds: float, ranks: PartialState
) -> Costs:
    """Measure the costs of a run; this changes its weights.

    Args:
        network: the run's network.
        step: takes one optimizer step.
        seconds: about how long to measure.
        ranks: accelerate's state of this process.
    """
    count = CPU_CHUNK if ranks.device.type == "cpu" else SAMPLE_BATCH_SIZE
    with network.ema_pipeline() as pipeline, torch.no_grad():
        inputs = [part.to(ranks.device) for part in example_inputs(pipeline.unet, count)]
        call_seconds = time_calls(lambda: pipeline.predict(*inputs), seconds / 10, ranks.device)
    step_seconds = time_calls(step, seconds, ranks.device)
    return Costs(
        step=step_seconds,
        # A forward pass takes a third of a step; the processes share the images.
        loss_row=step_seconds / 3 / network.config.batch_size,
        sampling_row=call_seconds / count / ranks.num_processes,
    )


def config_for_minutes(
    config: TrainConfig, start_time: float, measure: Callable[[float], Costs]
) -> TrainConfig:
    """Return the config with the run length that fits its minutes, the same in all processes.

    A config without minutes is returned as it is; a resumed run keeps its length.

    Args:
        config: the run.
        start_time: when the command started, from time.monotonic().
        measure: measures the costs in about so many seconds.

    Raises:
        ConfigError: the minutes are too few for one step, or the length of the cool-down is given.
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
        recorded = folder.read_settings()
        names = ("images_total", "cool_down_images", "warmup_steps", "frechet_every")
        return dataclasses.replace(config, **{name: recorded[name] for name in names})
    seconds = 60 * config.minutes
    costs = measure(min(MAX_MEASURING_SECONDS, MEASURING_SHARE * seconds))
    left = seconds * (1 - RESERVED_SHARE) - (time.monotonic() - start_time)
    return fit_run_length(config, min(gather_parts(left)), costs)


def fit_run_length(config: TrainConfig, seconds: float, costs: Costs) -> TrainConfig:
    """Return the config with as many images as fit into a time, with validations and saves.

    Args:
        config: the run.
        seconds: the time.
        costs: the measured costs.

    Raises:
        ConfigError: the time is too short.
    """
    distance = config.frechet_images * FRECHET_STEPS * costs.sampling_row
    if distance > MAX_FRECHET_SHARE * seconds:
        config = dataclasses.replace(config, frechet_every=0)
    events = [
        (config.validation_images * costs.loss_row, config.validate_every),
        (PREVIEW_ROWS * costs.sampling_row, config.preview_every),
        (SAVE_SECONDS, config.save_every),
        *([(distance, config.frechet_every)] if config.frechet_every else []),
    ]
    # Each event occurs once at the end, and once every so many images before that.
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
        # The warm-up must not fill a short run.
        warmup_steps=min(config.warmup_steps, steps // 10),
        cool_down_images=steps * config.batch_size // 5 if config.lr_schedule == "constant" else 0,
    )
