"""Tests of the noise schedules, the sampling schedules and the samplers."""

import numpy as np
import pytest
import torch

from fashion_ddpm.core.config import NOISE_SCHEDULES, SAMPLERS, SCHEDULES
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.samplers import build_sampler
from fashion_ddpm.diffusion.schedules import (
    MAX_SIGMA,
    MIN_ALPHA_BAR,
    STUDENT_BETAS,
    LinearBetas,
    alpha_bars,
    build_noise_scheduler,
    log_snr,
    noise_levels,
)

STEP_COUNTS = (1, 2, 4, 7, 10, 20, 50, 61, 100, 103, 1000)


@pytest.mark.parametrize("name", NOISE_SCHEDULES)
def test_every_schedule_offered_for_training_ends_in_noise(name: str) -> None:
    levels = alpha_bars(build_noise_scheduler(name))
    assert levels[-1] < 1e-4
    assert np.all(np.diff(levels) < 0)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", STEP_COUNTS)
def test_levels_fall_from_the_noisiest_and_lie_on_the_training_schedule(
    name: str, steps: int
) -> None:
    training = build_noise_scheduler("cosine")
    levels = noise_levels(name, steps, training)
    assert len(levels.alpha_bar) == len(levels.timesteps) == steps
    assert np.all(np.diff(levels.alpha_bar) > 0)
    assert np.all((levels.timesteps >= 0) & (levels.timesteps <= 999))
    if name in NOISE_SCHEDULES:
        noisiest = max(MIN_ALPHA_BAR, alpha_bars(build_noise_scheduler(name))[-1])
        assert levels.alpha_bar[0] == pytest.approx(noisiest, rel=1e-6)
    known = log_snr(alpha_bars(training))
    there = np.interp(levels.timesteps, np.arange(1000), known)
    inside = levels.alpha_bar < alpha_bars(training)[0]
    assert np.allclose(there[inside], log_snr(levels.alpha_bar)[inside], atol=1e-6)


def test_the_native_schedule_visits_diffusers_trailing_timesteps() -> None:
    training = build_noise_scheduler("linear")
    levels = noise_levels("linear", 20, training)
    training.set_timesteps(20)
    assert np.allclose(levels.timesteps, training.timesteps.numpy(), atol=1e-6)


def test_karras_spaces_the_seventh_root_of_sigma_evenly() -> None:
    alpha_bar = noise_levels("karras", 10, build_noise_scheduler("cosine")).alpha_bar
    sigmas = np.sqrt(1 / alpha_bar - 1)
    assert sigmas[0] == pytest.approx(MAX_SIGMA)
    roots = sigmas ** (1 / 7)
    assert np.allclose(np.diff(roots), np.diff(roots)[0])


def test_cosine_midpoint_ends_in_the_middle_of_cosines_last_interval() -> None:
    cosine, midpoint = (
        np.arctan(np.sqrt(1 / noise_levels(name, 4, build_noise_scheduler("cosine")).alpha_bar - 1))
        for name in ("cosine", "cosine-midpoint")
    )
    assert midpoint[0] == pytest.approx(cosine[0])
    assert np.allclose(np.diff(midpoint), np.diff(midpoint)[0])
    assert midpoint[-1] == pytest.approx(np.pi / 16)
    assert cosine[-1] == pytest.approx(np.pi / 8, rel=0.03)  # diffusers' cosine is shifted


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", STEP_COUNTS[:-1])
def test_every_sampler_takes_the_levels_one_by_one(sampler: str, steps: int) -> None:
    levels = noise_levels("cosine", steps, build_noise_scheduler("cosine"))
    scheduler = build_sampler(sampler, levels)
    assert scheduler.timesteps.tolist() == list(range(steps - 1, -1, -1))
    own = scheduler.alphas_cumprod.flip(0).double().numpy()
    assert np.allclose(own, levels.alpha_bar, rtol=1e-3)
    if hasattr(scheduler, "sigmas"):
        assert scheduler.sigmas[-1] == 0


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_perfect_denoiser_is_followed_to_the_image(sampler: str) -> None:
    image = torch.linspace(-1, 1, 16).view(1, 1, 4, 4)
    levels = noise_levels("cosine", 10, build_noise_scheduler("cosine"))
    scheduler = build_sampler(sampler, levels)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(image.shape, generator=generator) * scheduler.init_noise_sigma
    for position in scheduler.timesteps:
        scheduler.scale_model_input(x, position)
        x = scheduler.step(image, position, x, generator=generator).prev_sample
    assert torch.allclose(x, image, atol=1e-5)


def test_names_that_do_not_exist_are_refused() -> None:
    training = build_noise_scheduler("cosine")
    with pytest.raises(ConfigError, match="noise schedule is 'report'"):
        build_noise_scheduler("report")
    with pytest.raises(ConfigError, match="schedule is 'quadratic'"):
        noise_levels("quadratic", 10, training)
    with pytest.raises(ConfigError, match="sampler is 'heun'"):
        build_sampler("heun", noise_levels("cosine", 10, training))


def test_betas_beyond_one_are_refused() -> None:
    with pytest.raises(ConfigError, match="must stay below 1"):
        build_noise_scheduler("linear", 10, beta_scale=100)


def test_the_report_is_one_choice_of_betas() -> None:
    training = build_noise_scheduler("cosine")
    named, own = (noise_levels(schedule, 20, training) for schedule in ("report", STUDENT_BETAS))
    assert np.array_equal(named.timesteps, own.timesteps)
    assert np.allclose(
        STUDENT_BETAS.alpha_bars(), alpha_bars(build_noise_scheduler("linear", 100)), rtol=1e-4
    )


@pytest.mark.parametrize("betas", [(1, 1e-4, 0.02), (100, 0.02, 1e-4), (100, 0, 0.02), (9, 0.1, 1)])
def test_betas_that_do_not_rise_are_refused(betas: tuple[int, float, float]) -> None:
    with pytest.raises(ConfigError, match="betas that rise within"):
        LinearBetas(*betas)
