"""Tests of the sampler of distilled networks."""

import numpy as np
import torch

from fashion_ddpm.diffusion.samplers import ConsistencySampler
from fashion_ddpm.diffusion.sampling import seed_generators

ALPHA_BAR = np.array([1e-5, 0.2, 0.7])


def test_every_step_noises_the_predicted_image_to_the_next_level() -> None:
    sampler = ConsistencySampler(ALPHA_BAR)
    assert sampler.timesteps.tolist() == [2, 1, 0]
    clean = torch.full((2, 1, 200, 200), 0.5)
    for index, alpha_bar in ((2, 0.2), (1, 0.7)):
        moved = sampler.step(clean, torch.tensor(index), clean, seed_generators([1, 2]))
        noise = (moved.prev_sample - alpha_bar**0.5 * clean) / (1 - alpha_bar) ** 0.5
        assert abs(noise.mean()) < 0.02
        assert abs(noise.std() - 1) < 0.02


def test_the_last_step_returns_the_image() -> None:
    sampler, clean = ConsistencySampler(ALPHA_BAR), torch.rand(2, 1, 4, 4)
    last = sampler.step(clean, torch.tensor(0), clean, seed_generators([1, 2])).prev_sample
    assert torch.equal(last, clean)


def test_an_images_new_noise_depends_on_its_own_seed_alone() -> None:
    sampler, clean = ConsistencySampler(ALPHA_BAR), torch.zeros(3, 1, 4, 4)
    together = sampler.step(clean, torch.tensor(2), clean, seed_generators([5, 6, 7])).prev_sample
    alone = sampler.step(clean[:1], torch.tensor(2), clean[:1], seed_generators([6])).prev_sample
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0], together[1])
