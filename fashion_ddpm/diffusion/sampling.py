"""The sampling loop: from seeds and labels to images, as an iterator over denoising steps."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import Tensor

from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.requests import EVALUATION_STEPS, GenerateRequest
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.samplers import build_sampler
from fashion_ddpm.diffusion.schedules import LinearBetas, noise_levels

CPU_CHUNK = 8
"""Images in every UNet call on a CPU. Kernels differ by batch size, and so does rounding: only a
fixed size makes an image bit-identical in any batch. Larger calls are used where a machine rounds
them alike (runtime/backends.py)."""


@dataclass(frozen=True)
class SamplingSettings:
    """Schedule, sampler, steps and guidance; labels and seeds are given separately.

    Attributes:
        schedule: one of SCHEDULES, or custom betas.
        sampler: one of SAMPLERS, or turbo.
        num_inference_steps: steps; each costs one UNet evaluation, two where guidance acts.
        guidance_scale: uncond + scale · (cond − uncond); 1.0 is off.
        guidance_interval: share of the training timesteps, (low, high) in [0, 1], inside which
            guidance acts; outside it a step costs one UNet call.
    """

    schedule: str | LinearBetas = GenerateRequest.schedule
    sampler: str = "dpm++2m"
    num_inference_steps: int = EVALUATION_STEPS
    guidance_scale: float = 1.0
    guidance_interval: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def from_request(cls, request: GenerateRequest) -> "SamplingSettings":
        """Return the sampling settings of a request."""
        return cls(
            request.schedule,
            request.sampler,
            request.num_inference_steps,
            request.guidance_scale,
            (request.guidance_low, request.guidance_high),
        )


@dataclass(frozen=True)
class Start:
    """Where sampling begins; the default is each seed's own noise at the noisiest level.

    Attributes:
        images: float32 [B, C, S, S] in [−1, 1], clean images that are noised to the first level.
        noise: float32 [B, C, S, S], standard normal, instead of noise drawn from the seeds.
        strength: share of the steps that are taken, the last ones, in (0, 1] (SDEdit, Meng et
            al., 2022). Below 1 it needs images.
    """

    images: Tensor | None = None
    noise: Tensor | None = None
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.strength <= 1 or (self.strength < 1 and self.images is None):
            raise ConfigError(
                f"strength is {self.strength}; it must lie above 0 and at most at 1, and below 1 "
                "sampling needs images to begin with."
            )


NOISE = Start()


@dataclass(frozen=True)
class PartialTrajectory:
    """A noisy x_t to continue sampling from, with any schedule and class.

    Attributes:
        noisy: float32 [B, C, S, S], x_t with variance near 1.
        alpha_bar: its ᾱ, in (0, 1); sampling continues with the schedule's less noisy levels.
    """

    noisy: Tensor
    alpha_bar: float


@dataclass(frozen=True)
class DenoisingStep:
    """One denoising step: x_t and the prediction from it.

    Attributes:
        index: 0 … K − 1, over the levels that are visited.
        alpha_bar: ᾱ of noisy, in (0, 1).
        noisy: float32 [B, C, S, S], x_t with variance near 1.
        clean: float32 [B, C, S, S] in [−1, 1], the predicted x_0; the last one is the image.
    """

    index: int
    alpha_bar: float
    noisy: Tensor
    clean: Tensor


def unet_predictor(unet: UNet2DModel, max_rows: int = CPU_CHUNK) -> Predictor:
    """Return the UNet as a predictor whose calls are padded by pad_chunks."""
    return pad_chunks(lambda x, timesteps, labels: unet(x, timesteps, labels).sample, max_rows)


def pad_chunks(call: Predictor, max_rows: int = CPU_CHUNK) -> Predictor:
    """Return a predictor whose CPU calls are split, then padded to a multiple of CPU_CHUNK rows.

    Args:
        call: the network.
        max_rows: largest batch of one call, a multiple of CPU_CHUNK.
    """

    def predict(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return call(x, timesteps, labels)
        parts = zip(*(rows.split(max_rows) for rows in (x, timesteps, labels)), strict=True)
        return torch.cat([call(*map(_pad, part)) for part in parts])[: len(x)]

    return predict


def _pad(rows: Tensor) -> Tensor:
    return torch.cat([rows, rows.new_zeros(-len(rows) % CPU_CHUNK, *rows.shape[1:])])


@torch.no_grad()
def denoise(
    predict: Predictor,
    noise_scheduler: DDPMScheduler,
    labels: Tensor,
    seeds: Sequence[int],
    settings: SamplingSettings,
    start: Start | PartialTrajectory = NOISE,
    *,
    kind: ImageKind,
) -> Iterator[DenoisingStep]:
    """Yield each denoising step; image i depends only on its label, its seed and its start.

    Args:
        predict: the network: from unet_predictor, or a BatchingUNet.
        noise_scheduler: the noise schedule it was trained on, with its prediction type.
        labels: int64 [B], class labels or the null label, on the network's device.
        seeds: B seeds, one per image, for its initial noise and the sampler's noise.
        settings: schedule, sampler, steps and guidance.
        start: where to begin.
        kind: classes, size and colours of the network's images.

    Raises:
        ConfigError: the schedule or the sampler is unknown.
    """
    generators = seed_generators(seeds)
    levels = noise_levels(settings.schedule, settings.num_inference_steps, noise_scheduler)
    if isinstance(start, PartialTrajectory):
        levels = levels.continue_from(start.alpha_bar, noise_scheduler)
        x = start.noisy.to(labels.device)
    else:
        levels = levels.take_last(math.ceil(start.strength * settings.num_inference_steps))
        x = _initial_sample(start, float(levels.alpha_bar[0]), generators, labels.device, kind)
    sampler = build_sampler(settings.sampler, levels)
    # Euler works on x_t / sqrt(ᾱ): scaling 1 gives its sqrt(ᾱ), and 1 for other samplers. Its
    # init_noise_sigma is only right for nearly pure noise.
    x = x / sampler.scale_model_input(torch.ones(()), sampler.timesteps[0])
    for index, sampler_timestep in enumerate(sampler.timesteps):
        noisy = sampler.scale_model_input(x, sampler_timestep)
        alpha_bar, timestep = float(levels.alpha_bar[index]), float(levels.timesteps[index])
        scale = settings.guidance_scale if _is_guided(settings, timestep, noise_scheduler) else 1.0
        output = _guided_output(predict, noisy, timestep, labels, kind.null_label, scale)
        prediction_type = noise_scheduler.config["prediction_type"]
        clean = _to_clean(prediction_type, noisy, output, alpha_bar).clamp(-1, 1)
        yield DenoisingStep(index, alpha_bar, noisy, clean)
        x = sampler.step(clean, sampler_timestep, x, generator=generators).prev_sample


def _initial_sample(
    start: Start,
    alpha_bar: float,
    generators: list[torch.Generator],
    device: torch.device,
    kind: ImageKind,
) -> Tensor:
    """Return x_t at the first level: noise, or noised images."""
    x = (start.noise if start.noise is not None else draw_noise(generators, kind)).to(device)
    if start.images is None:
        return x
    return alpha_bar**0.5 * start.images.to(device) + (1 - alpha_bar) ** 0.5 * x


def seed_generators(seeds: Sequence[int]) -> list[torch.Generator]:
    """Return a generator for each seed, on the CPU, where all machines draw the same numbers."""
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def draw_noise(generators: Sequence[torch.Generator], kind: ImageKind) -> Tensor:
    """Return each seed's initial noise: float32 [B, C, S, S], standard normal, on the CPU."""
    return torch.stack([torch.randn(kind.shape, generator=generator) for generator in generators])


def _guided_output(
    predict: Predictor,
    noisy: Tensor,
    timestep: float,
    labels: Tensor,
    null_label: int,
    scale: float,
) -> Tensor:
    """Return the network's output with classifier-free guidance; a scale of 1.0 is off."""
    if scale != 1.0:
        noisy, labels = noisy.repeat(2, 1, 1, 1), labels.repeat(2)
        labels[len(labels) // 2 :] = null_label
    timesteps = torch.full((len(noisy),), timestep, device=noisy.device)
    output = predict(noisy, timesteps, labels)
    if scale == 1.0:
        return output
    conditional, unconditional = output.chunk(2)
    return unconditional + scale * (conditional - unconditional)


def _is_guided(settings: SamplingSettings, timestep: float, noise_scheduler: DDPMScheduler) -> bool:
    low, high = settings.guidance_interval
    share = timestep / (len(noise_scheduler.betas) - 1)
    return settings.guidance_scale != 1.0 and low <= share <= high


def num_evaluations(settings: SamplingSettings, noise_scheduler: DDPMScheduler) -> int:
    """Return the UNet evaluations of one image: one a step, two where guidance acts."""
    levels = noise_levels(settings.schedule, settings.num_inference_steps, noise_scheduler)
    return sum(1 + _is_guided(settings, timestep, noise_scheduler) for timestep in levels.timesteps)


def _to_clean(prediction_type: str, noisy: Tensor, output: Tensor, alpha_bar: float) -> Tensor:
    """Convert the network's output to x_0, given x_t = sqrt(ᾱ) x_0 + sqrt(1 − ᾱ) ε."""
    alpha, sigma = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    if prediction_type == "epsilon":
        return (noisy - sigma * output) / alpha
    if prediction_type == "sample":
        return output
    return alpha * noisy - sigma * output
