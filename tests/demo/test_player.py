"""Tests of the frames of a run: the sprite of the player, and the animated GIF."""

import dataclasses
import io

import numpy as np
import pytest
import torch
from PIL import Image

from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.results import Result
from fashion_ddpm.demo.trajectory import (
    GIF_MAX_STEPS,
    MAX_SIDE,
    MAX_SPRITE_BYTES,
    animate,
    gif_name,
    select_frames,
    sigma_text,
)


def make_result(steps: int, images: int, side: int = 28, channels: int = 1) -> Result:
    """Return a run of random pixels."""
    kind = ImageKind(("bag", "coat"), side, channels)
    shape = (steps, images, side, side, *([3] if channels == 3 else []))
    pixels = torch.randint(0, 256, (2, *shape), generator=torch.Generator().manual_seed(0))
    noisy, clean = pixels.to(torch.uint8)
    return Result(
        request=GenerateRequest(
            "bag", images, num_inference_steps=steps, class_names=("bag", "coat")
        ),
        scorer="none",
        model="",
        noisy=noisy,
        clean=clean,
        alpha_bar=np.linspace(0.01, 0.99, steps),
        label_scores=torch.zeros(images, 0),
        quality_scores=torch.zeros(images, 0),
        baseline=None,
        evaluations=steps * images,
        seconds=1.0,
        kind=kind,
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_the_sprite_has_a_column_for_each_step_and_the_predicted_rows_below(channels: int) -> None:
    result = make_result(steps=5, images=3, side=32, channels=channels)
    sprite = np.asarray(select_frames(result).sprite())
    assert sprite.shape[:2] == (2 * 3 * 32, 5 * 32)
    for images, row in ((result.noisy, 1), (result.clean, 3 + 1)):
        frame = sprite[row * 32 : (row + 1) * 32, 4 * 32 : 5 * 32]
        assert np.array_equal(frame, images[4, 1].numpy())


@pytest.mark.parametrize(("steps", "images"), [(1, 1), (1, 16), (100, 1), (100, 16)])
def test_what_a_visitor_may_generate_is_shown_whole(steps: int, images: int) -> None:
    frames = select_frames(make_result(steps, images))
    assert frames.steps == list(range(steps))
    assert frames.noisy.shape == frames.clean.shape == (steps, images, 28, 28)


def test_larger_images_are_reduced_and_their_steps_thinned_out() -> None:
    result = make_result(steps=60, images=8, side=128, channels=3)
    frames = select_frames(result)
    assert frames.noisy.shape[2:] == (MAX_SIDE, MAX_SIDE, 3)
    assert frames.noisy.numel() + frames.clean.numel() <= MAX_SPRITE_BYTES
    assert 10 < len(frames.steps) < 60
    assert (frames.steps[0], frames.steps[-1]) == (0, 59)
    area = result.clean[-1, 0, :2, :2].float().mean(dim=(0, 1))
    assert (frames.clean[-1, 0, 0, 0] - area).abs().max() <= 0.5


@pytest.mark.parametrize(("steps", "images", "shown"), [(1, 1, 1), (7, 3, 7), (100, 16, 40)])
def test_the_gif_shows_the_run_from_noise_to_the_images(
    steps: int, images: int, shown: int
) -> None:
    result = make_result(steps, images)
    with Image.open(io.BytesIO(animate(result))) as picture:
        assert getattr(picture, "n_frames", 1) == shown <= GIF_MAX_STEPS
        picture.seek(shown - 1)
        last = np.asarray(picture.convert("L"))
    assert np.array_equal(last[:56:2, :56:2], result.noisy[-1, 0].numpy())
    below = (2 if images > 10 else 1) * 60
    assert np.array_equal(last[below : below + 56 : 2, :56:2], result.clean[-1, 0].numpy())


def test_a_gif_in_colour_is_in_colour() -> None:
    result = make_result(steps=2, images=1, side=32, channels=3)
    red = torch.zeros_like(result.clean)
    red[..., 0] = 200
    result = dataclasses.replace(result, clean=red)
    with Image.open(io.BytesIO(animate(result))) as picture:
        red, green, _ = np.asarray(picture.convert("RGB"))[-1, 0].tolist()
    assert (red > 150, green < 50) == (True, True)


def test_the_gif_is_named_by_class_and_seed() -> None:
    assert gif_name(make_result(1, 1)) == "bag-seed-0.gif"


def test_sigma_has_three_digits_and_is_zero_without_noise() -> None:
    assert [sigma_text(1 / (1 + sigma**2)) for sigma in (159, 6.2, 0.43)] == [
        "159",
        "6.20",
        "0.430",
    ]
    assert sigma_text(1.0) == "less than 0.001"
