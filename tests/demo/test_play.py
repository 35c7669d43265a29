"""Tests of the games, with the bundled network."""

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fashion_ddpm.core.image_kind import CLASS_NAMES, FASHION_MNIST, ImageKind
from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.game_requests import BlendRequest, RedrawRequest, WalkRequest
from fashion_ddpm.demo.play import SETTINGS, blend, read_drawing, redraw, silhouettes, slerp, walk
from fashion_ddpm.diffusion.sampling import SamplingSettings

BLEND = BlendRequest("trouser", "bag", 3)


def frames(picture: Image.Image) -> torch.Tensor:
    """Return the eight images of a picture, row by row: uint8 [8, 28, 28]."""
    small = np.asarray(picture)[::4, ::4]
    places = [(y, x) for y in range(0, len(small), 30) for x in range(0, small.shape[1], 30)]
    return torch.from_numpy(np.stack([small[y : y + 28, x : x + 28] for y, x in places]))


def draw(bundled_demo: Demo, label: int, seed: int) -> torch.Tensor:
    """Return the image of a seed and a class: float [28, 28], 0 … 255."""
    *_, last = bundled_demo.pipeline.stream([label], [seed], SETTINGS)
    return ((last.clean[0, 0] + 1) * 127.5).round()


def test_a_blend_begins_as_one_class_and_ends_as_the_other(bundled_demo: Demo) -> None:
    strip = frames(blend(bundled_demo, BlendRequest("trouser", "bag", 0))).float()
    assert (strip[0] - draw(bundled_demo, 1, 0)).abs().max() <= 2
    assert (strip[-1] - draw(bundled_demo, 8, 0)).abs().max() <= 2
    assert (strip[4] - strip[0]).abs().mean() > 1
    assert not bundled_demo.pipeline.unet.class_embedding._forward_hooks


def test_a_blend_beside_a_generation_changes_neither(bundled_demo: Demo) -> None:
    def generation() -> torch.Tensor:
        (batch,) = bundled_demo.pipeline.generate([1] * 8, range(8), SamplingSettings("karras"))
        return batch.images

    images, strip = generation(), frames(blend(bundled_demo, BLEND))
    with ThreadPoolExecutor(1) as threads:
        blending = threads.submit(blend, bundled_demo, BLEND)
        concurrent = [generation()]
        while not blending.done():
            concurrent.append(generation())
    assert torch.equal(frames(blending.result()), strip)
    assert all(torch.equal(batch, images) for batch in concurrent)


def test_a_walk_ends_at_the_second_seeds_image(bundled_demo: Demo) -> None:
    strip = frames(walk(bundled_demo, WalkRequest("coat", 4, 9))).float()
    for index, seed in ((0, 4), (-1, 9)):
        assert (strip[index] - draw(bundled_demo, 4, seed)).abs().max() <= 2
    assert (strip[3] - strip[0]).abs().mean() > 1


def test_every_step_between_two_noises_is_noise() -> None:
    one, other = (torch.randn(784, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    for share in (0.0, 0.3, 0.5, 1.0):
        assert slerp(one, other, share).std() == pytest.approx(1, abs=0.08)
    assert torch.equal(slerp(one, one, 0.5), one)


def test_a_drawing_is_kept_where_little_of_it_is_forgotten(bundled_demo: Demo) -> None:
    drawing = np.zeros((280, 280), np.uint8)
    drawing[40:250, 100:180] = 200
    weak, strong = (
        frames(redraw(bundled_demo, drawing, RedrawRequest("trouser", s))).float()
        for s in (0.2, 1.0)
    )
    assert torch.equal(weak[0], strong[0])
    assert (weak[1:] - weak[0]).abs().mean() < (strong[1:] - strong[0]).abs().mean()


def as_url(picture: Image.Image, format_: str = "PNG") -> str:
    content = io.BytesIO()
    picture.save(content, format_)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def test_a_drawing_arrives_as_it_was_drawn() -> None:
    picture = Image.new("RGBA", (28, 28), (0, 0, 0, 255))
    picture.putpixel((3, 5), (128, 128, 128, 255))
    drawing = read_drawing({"drawing": as_url(picture)}, 28)
    assert drawing.shape == (28, 28)
    assert drawing.dtype == np.uint8
    assert np.argwhere(drawing).tolist() == [[5, 3]]
    assert drawing[5, 3] == 128
    assert read_drawing({"drawing": ""}, 28).size == 0


SMALL = Image.new("L", (28, 28))


@pytest.mark.parametrize(
    "sketch",
    [
        *(None, "", [], 5, {}, {"drawing": None}, {"drawing": "x"}, {"drawing": "data:,x"}),
        {"drawing": as_url(SMALL)[:60]},
        {"drawing": as_url(SMALL, "GIF")},
        {"drawing": as_url(Image.new("L", (29, 28)))},
        {"drawing": "/etc/passwd"},
    ],
)
def test_whatever_is_no_drawing_is_refused(sketch: Any) -> None:
    with pytest.raises(RequestError, match="drawing cannot be read"):
        read_drawing(sketch, 28)


def test_there_is_a_filled_silhouette_of_each_class_of_fashion_mnist_only() -> None:
    shapes = silhouettes(FASHION_MNIST, 56)
    assert tuple(shapes) == CLASS_NAMES
    for name, shape in shapes.items():
        pixels = np.asarray(shape)
        assert pixels.shape == (56, 56)
        assert set(np.unique(pixels)) == {0, 255}, name
        assert 0.1 < (pixels > 0).mean() < 0.8, name
    assert silhouettes(ImageKind(("cat", "dog"), 32, 3), 256) == {}
