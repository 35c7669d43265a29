"""Tests of denoising: determinism, equality with diffusers, guidance and its cost."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    UNet2DModel,
)
from torch import Tensor

from fashion_ddpm.core.config import SAMPLERS, SCHEDULES, TURBO
from fashion_ddpm.core.image_kind import FASHION_MNIST, NULL_LABEL
from fashion_ddpm.core.images import to_model
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.sampling import (
    CPU_CHUNK,
    SamplingSettings,
    Start,
    denoise,
    num_evaluations,
    unet_predictor,
)
from fashion_ddpm.diffusion.schedules import build_noise_scheduler

STEP_COUNTS = (1, 4, 7, 20, 103)


def sample(
    pipeline: FashionDDPMPipeline, labels: list[int], seeds: list[int], settings: SamplingSettings
) -> Tensor:
    *_, last = pipeline.stream(labels, seeds, settings)
    return last.clean


@pytest.fixture(scope="module")
def fastest_unet() -> UNet2DModel:
    """The smallest UNet there is, for tests of a great many steps."""
    torch.manual_seed(0)
    return UNet2DModel(
        sample_size=28,
        in_channels=1,
        out_channels=1,
        block_out_channels=(8,),
        layers_per_block=1,
        down_block_types=("DownBlock2D",),
        up_block_types=("UpBlock2D",),
        norm_num_groups=4,
        add_attention=False,
        num_class_embeds=11,
    ).eval()


@pytest.mark.parametrize("sampler", [*SAMPLERS, TURBO])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_sampler_and_schedule_works_with_any_number_of_steps(
    fastest_unet: UNet2DModel, sampler: str, schedule: str
) -> None:
    training, labels = build_noise_scheduler("cosine"), torch.tensor([3])
    for count in STEP_COUNTS:
        settings = SamplingSettings(schedule, sampler, count)
        steps = list(
            denoise(
                unet_predictor(fastest_unet), training, labels, [0], settings, kind=FASHION_MNIST
            )
        )
        assert len(steps) == count
        assert all(torch.isfinite(step.noisy).all() for step in steps)
        assert steps[-1].clean.abs().max() <= 1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_same_seed_gives_same_image_in_any_batch(sampler: str) -> None:
    pipeline = load_pipeline(BUNDLED_CHECKPOINT)
    settings = SamplingSettings(sampler=sampler, num_inference_steps=5, guidance_scale=2.0)
    alone = sample(pipeline, [9], [0], settings)
    together = sample(pipeline, [*range(5), 9, 7, 8], [*range(50, 55), 0, 98, 99], settings)
    assert torch.equal(alone[0], together[5])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_another_seed_and_another_class_give_another_image(sampler: str) -> None:
    pipeline = load_pipeline(BUNDLED_CHECKPOINT)
    settings = SamplingSettings(sampler=sampler, num_inference_steps=4)
    images = sample(pipeline, [9, 9, 1], [0, 1, 0], settings)
    assert (images[0] - images[1]).abs().mean() > 0.05
    assert (images[0] - images[2]).abs().mean() > 0.05


def tame_network(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
    """Predict clean images that never leave the data's range, so that nothing is clamped."""
    return (x + timesteps.view(-1, 1, 1, 1) / 500).sin()


THEIRS: dict[str, tuple[Any, dict[str, str]]] = {
    "ddpm": (DDPMScheduler, {}),
    "ddim": (DDIMScheduler, {}),
    "euler": (EulerDiscreteScheduler, {}),
    "dpm++2m": (DPMSolverMultistepScheduler, {}),
    "dpm++2m-sde": (DPMSolverMultistepScheduler, {"algorithm_type": "sde-dpmsolver++"}),
}


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_native_schedule_equals_diffusers_own_loop(sampler: str) -> None:
    training = build_noise_scheduler("linear", prediction_type="sample")
    settings, labels = SamplingSettings("linear", sampler, 20), torch.tensor([4])
    *_, ours = denoise(tame_network, training, labels, [7], settings, kind=FASHION_MNIST)
    solver, options = THEIRS[sampler]
    theirs = solver.from_config(training.config, **options)
    theirs.set_timesteps(20)
    generator = torch.Generator().manual_seed(7)
    x = torch.randn((1, 1, 28, 28), generator=generator) * theirs.init_noise_sigma
    for position in theirs.timesteps:
        scaled = theirs.scale_model_input(x, position)
        output = tame_network(scaled, position.expand(1).float(), labels)
        x = theirs.step(output, position, x, generator=generator).prev_sample
    assert torch.allclose(x, ours.clean, atol=1e-3)


@pytest.mark.parametrize("kind", ["v_prediction", "epsilon", "sample"])
def test_every_prediction_type_can_be_sampled(
    tiny_pipeline: FashionDDPMPipeline, kind: str
) -> None:
    training = build_noise_scheduler("cosine", prediction_type=kind)
    settings = SamplingSettings(num_inference_steps=4)
    *_, last = denoise(
        tiny_pipeline.predict, training, torch.tensor([0]), [0], settings, kind=FASHION_MNIST
    )
    assert torch.isfinite(last.clean).all()


@contextmanager
def counted(unet: UNet2DModel) -> Iterator[list[int]]:
    """Count the images that go through a network."""
    sizes: list[int] = []
    hook = unet.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    yield sizes
    hook.remove()


@pytest.mark.parametrize(
    ("scale", "interval", "expected"),
    [(1.0, (0.0, 1.0), 10), (3.0, (0.0, 1.0), 20), (3.0, (0.5, 1.0), None)],
)
def test_guidance_costs_a_second_evaluation_only_where_it_acts(
    tiny_pipeline: FashionDDPMPipeline,
    scale: float,
    interval: tuple[float, float],
    expected: int | None,
) -> None:
    settings = SamplingSettings(
        num_inference_steps=10, guidance_scale=scale, guidance_interval=interval
    )
    with counted(tiny_pipeline.unet) as sizes:
        sample(tiny_pipeline, [0] * CPU_CHUNK, [0] * CPU_CHUNK, settings)
    announced = num_evaluations(settings, tiny_pipeline.scheduler)
    assert sum(sizes) == CPU_CHUNK * announced
    assert announced == expected if expected else 10 < announced < 20


def test_guidance_moves_the_image(tiny_pipeline: FashionDDPMPipeline) -> None:
    plain = sample(tiny_pipeline, [5], [0], SamplingSettings(num_inference_steps=4))
    guided = sample(
        tiny_pipeline, [5], [0], SamplingSettings(num_inference_steps=4, guidance_scale=4.0)
    )
    assert not torch.allclose(plain, guided)


def test_settings_come_from_a_request() -> None:
    request = GenerateRequest(
        class_name="bag",
        schedule="karras",
        sampler="euler",
        num_inference_steps=7,
        guidance_scale=2.0,
        guidance_low=0.1,
        guidance_high=0.9,
    )
    assert SamplingSettings.from_request(request) == SamplingSettings(
        "karras", "euler", 7, 2.0, (0.1, 0.9)
    )


def test_the_bundled_model_draws_clothes_and_the_report_ruins_them() -> None:
    pipeline = load_pipeline(BUNDLED_CHECKPOINT)
    labels, seeds = [index % 10 for index in range(40)], list(range(40))
    good = sample(pipeline, labels, seeds, SamplingSettings(num_inference_steps=10))
    ruined = sample(pipeline, labels, seeds, SamplingSettings("report", num_inference_steps=10))
    assert good.mean().item() == pytest.approx(-0.428, abs=0.1)
    assert ruined.mean().item() > -0.2


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_slightly_noised_beginning_is_found_again(
    sampler: str, real_images: LabelledImages
) -> None:
    pipeline = load_pipeline(BUNDLED_CHECKPOINT)
    clean, labels = to_model(real_images.images[:4]), real_images.labels[:4].tolist()
    settings = SamplingSettings("report", sampler, num_inference_steps=10)
    *_, noised = pipeline.stream(labels, range(4), settings, Start(images=clean))
    *_, from_noise = pipeline.stream(labels, range(4), settings)
    assert (noised.clean - clean).abs().mean() < 0.15
    assert (from_noise.clean - clean).abs().mean() > 0.4


def test_guidance_goes_from_the_unlabelled_prediction_past_the_labelled_one() -> None:
    def predict(x: torch.Tensor, timesteps: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return torch.where(labels == NULL_LABEL, -0.2, 0.1).view(-1, 1, 1, 1).expand_as(x)

    training = build_noise_scheduler("cosine", prediction_type="sample")
    for scale, expected in ((1.0, 0.1), (2.0, 0.4), (3.0, 0.7)):
        settings = SamplingSettings(num_inference_steps=2, guidance_scale=scale)
        *_, last = denoise(predict, training, torch.tensor([3]), [0], settings, kind=FASHION_MNIST)
        assert torch.allclose(last.clean, torch.tensor(expected))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_begins_with_the_same_noise(sampler: str) -> None:
    pipeline = load_pipeline(BUNDLED_CHECKPOINT)
    settings = SamplingSettings("report", sampler, num_inference_steps=2)
    first = next(pipeline.stream([1], [5], settings)).noisy
    noise = torch.randn((1, 28, 28), generator=torch.Generator().manual_seed(5))
    assert torch.allclose(first[0], noise, atol=1e-5)


def test_a_weak_start_keeps_most_of_the_image_and_costs_fewer_steps(
    real_images: LabelledImages,
) -> None:
    pipeline = load_pipeline(BUNDLED_CHECKPOINT)
    clean, labels = to_model(real_images.images[:4]), real_images.labels[:4].tolist()
    settings, distances = SamplingSettings("cosine", num_inference_steps=10), []
    for strength, expected in ((0.25, 3), (0.5, 5), (1.0, 10)):
        start = Start(images=clean, strength=strength)
        steps = list(pipeline.stream(labels, range(4), settings, start))
        assert len(steps) == expected
        distances.append((steps[-1].clean - clean).abs().mean().item())
    assert distances == sorted(distances)
    assert distances[0] < 0.1


def test_the_noise_can_be_given(tiny_pipeline: FashionDDPMPipeline) -> None:
    settings = SamplingSettings(num_inference_steps=2)
    noise = torch.randn((1, 28, 28), generator=torch.Generator().manual_seed(3))[None]
    *_, given = tiny_pipeline.stream([0], [8], settings, Start(noise=noise))
    *_, drawn = tiny_pipeline.stream([0], [3], settings)
    assert torch.equal(given.clean, drawn.clean)


@pytest.mark.parametrize("strength", [0, -1, 1.1, float("nan"), 0.5])
def test_a_strength_that_means_nothing_is_refused(strength: float) -> None:
    with pytest.raises(ConfigError, match=f"strength is {strength}"):
        Start(strength=strength)
