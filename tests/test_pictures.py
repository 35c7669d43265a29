"""Tests of pictures of all kinds becoming tensors of one size."""

import functools
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fashion_ddpm.data import DataError
from fashion_ddpm.data_settings import DataSettings
from fashion_ddpm.pictures import Listing, Picture, Pixels, read_pictures


def held(name: str, picture: Image.Image, **options: Any) -> Picture:
    """Returns a picture as a file in memory has it."""
    file = io.BytesIO()
    picture.save(file, options.pop("format", "PNG"), **options)
    return Picture(name, 0, lambda: Image.open(io.BytesIO(file.getvalue())))


def plain(mode: str, colour: Any, size: tuple[int, int] = (32, 32)) -> Image.Image:
    return Image.new(mode, size, colour)


def read(*pictures: Picture, **flags: Any) -> Pixels:
    settings = DataSettings(dataset="imagefolder:here", **flags)
    return read_pictures(Listing(("thing",), pictures), settings)


def damaged(name: str) -> Picture:
    return Picture(name, 0, functools.partial(Image.open, io.BytesIO(b"no picture at all")))


def test_grey_pictures_stay_grey_however_they_were_saved() -> None:
    for mode, colour in (("L", 9), ("RGB", (9, 9, 9)), ("P", 0), ("1", 1), ("I;16", 9 << 8)):
        images = read(held("a.png", plain(mode, colour))).images
        assert images.shape == (1, 32, 32)
    assert read(held("a.png", plain("I;16", 9 << 8))).images.max() == 9


def test_one_picture_in_colour_makes_all_of_them_so() -> None:
    grey, red = held("grey.png", plain("L", 9)), held("red.png", plain("RGB", (200, 0, 0)))
    images = read(grey, red).images
    assert images.shape == (2, 32, 32, 3)
    assert images[1, 0, 0].tolist() == [200, 0, 0]
    assert read(grey, red, colours="grey").images.shape == (2, 32, 32)
    assert read(grey, colours="rgb").images.shape == (1, 32, 32, 3)


def test_what_is_transparent_is_black() -> None:
    for mode, colour in (("LA", (255, 0)), ("RGBA", (255, 255, 255, 0))):
        assert read(held("a.png", plain(mode, colour))).images.max() == 0
    half = read(held("half.png", plain("LA", (200, 128)))).images
    assert half.shape == (1, 32, 32)
    assert int(half[0, 0, 0]) == pytest.approx(100, abs=2)


def test_pixels_of_the_right_size_are_not_touched() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    images = read(held("noise.png", Image.fromarray(noise)), image_size=32, fit="crop").images
    assert np.array_equal(images[0], noise)


def test_a_photograph_taken_upright_stands_upright() -> None:
    lying = plain("RGB", (0, 0, 0))
    lying.paste((250, 250, 250), (0, 0, 32, 8))  # bright above
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image = read(held("photo.png", lying, exif=exif)).images[0]
    assert image[-4, 16] == 250
    assert image[4, 16] == 0


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(32, 32), (40, 40)], "2 sizes .+ give --image-size 32"),
        ([(30, 30)], "30×30 pixels; they must be square.+ give --image-size 28"),
        ([(32, 24)], "32×24 pixels; they must be square.+ give --image-size 24"),
        ([(512, 512)], "from 8 to 256.+ give --image-size 256"),
        ([(5, 5)], "give --image-size 8"),
    ],
)
def test_sizes_that_cannot_be_used_cost_one_sentence_with_the_fix(
    sizes: list[tuple[int, int]], expected: str
) -> None:
    pictures = [held(f"{w}.png", plain("L", 9, (w, h))) for w, h in sizes]
    with pytest.raises(DataError, match=expected):
        read(*pictures)
    with pytest.raises(DataError, match="add --fit crop"):
        read(*pictures, image_size=16)
    for fit in ("crop", "resize"):
        assert read(*pictures, image_size=16, fit=fit).images.shape[1:] == (16, 16)


def test_cropping_keeps_the_centre_and_resizing_keeps_all() -> None:
    wide = plain("L", 0, (96, 32))
    wide.paste(255, (0, 0, 32, 32))
    wide.paste(128, (32, 0, 64, 32))
    picture = held("wide.png", wide)
    assert (read(picture, image_size=32, fit="crop").images == 128).all()
    assert read(picture, image_size=32, fit="resize").images[0, 16, 2] == 255


def test_damaged_pictures_are_named_counted_and_left_out() -> None:
    sound = [held(f"{place}.png", plain("L", place)) for place in range(150)]
    pixels = read(*sound[:100], damaged("broken.png"), *sound[100:])
    assert len(pixels.images) == len(pixels.labels) == 150
    assert pixels.read.tolist() == [True] * 100 + [False] + [True] * 50
    (note,) = pixels.notes
    assert "1 pictures cannot be read and are left out: broken.png (cannot identify" in note
    assert pixels.images[100, 0, 0] == 100


def test_a_picture_that_ends_too_early_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:200])
    cut = Picture("cut.png", 0, functools.partial(Image.open, path))
    sound = [held(f"{place}.png", plain("L", place)) for place in range(150)]
    assert "cut.png" in read(cut, *sound).notes[0]


def test_too_many_damaged_pictures_are_refused() -> None:
    sound = [held(f"{place}.png", plain("L", place)) for place in range(98)]
    with pytest.raises(DataError, match=r"2 of 100 pictures cannot be read, more than 1%: a.png"):
        read(*sound, damaged("a.png"), damaged("b.png"))
    with pytest.raises(DataError, match="no picture can be read"):
        read(damaged("a.png"))


def test_what_would_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fashion_ddpm.pictures.MAX_BYTES", 1000)
    with pytest.raises(DataError, match=r"of memory.+ a smaller --image-size"):
        read(held("a.png", plain("L", 9)))
