"""Tests of decoding pictures of all kinds to one size."""

import hashlib
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.data.decode import Pixels, read_pictures
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.listing import Listing, Picture


def encode(name: str, picture: Image.Image, **options: Any) -> Picture:
    """Encode a picture in memory."""
    file = io.BytesIO()
    picture.save(file, options.pop("format", "PNG"), **options)
    return Picture(name, 0, file.getvalue)


def fill(mode: str, colour: Any, size: tuple[int, int] = (32, 32)) -> Image.Image:
    return Image.new(mode, size, colour)


def read(*pictures: Picture, **flags: Any) -> Pixels:
    settings = DataSettings(dataset="imagefolder:here", **flags)
    return read_pictures(Listing(("thing",), pictures), settings)


def intact_pictures(count: int) -> list[Picture]:
    return [encode(f"{index}.png", fill("L", index)) for index in range(count)]


def damaged_picture(name: str) -> Picture:
    return Picture(name, 0, lambda: b"no picture at all")


def test_grey_pictures_stay_grey_however_they_were_saved() -> None:
    for mode, colour in (("L", 9), ("RGB", (9, 9, 9)), ("P", 0), ("1", 1), ("I;16", 99 << 8)):
        images = read(encode("a.png", fill(mode, colour))).images
        assert images.shape == (1, 32, 32)
    assert read(encode("a.png", fill("I;16", 99 << 8))).images.max() == 99


def test_with_one_picture_in_colour_all_are_and_the_grey_ones_are_counted() -> None:
    grey, red = encode("grey.png", fill("L", 9)), encode("red.png", fill("RGB", (200, 0, 0)))
    pixels = read(grey, red)
    assert pixels.images.shape == (2, 32, 32, 3)
    assert pixels.images[1, 0, 0].tolist() == [200, 0, 0]
    (note,) = pixels.notes
    assert "1 of 2 pictures are grey" in note
    assert "--colours grey" in note
    assert read(grey, red, colours="grey").images.shape == (2, 32, 32)
    assert read(grey, colours="rgb").images.shape == (1, 32, 32, 3)
    assert not read(grey, red, colours="rgb").notes
    assert not read(red).notes


def test_transparent_pixels_are_black() -> None:
    for mode, colour in (("LA", (255, 0)), ("RGBA", (255, 255, 255, 0))):
        assert read(encode("a.png", fill(mode, colour))).images.max() == 0
    half = read(encode("half.png", fill("LA", (200, 128)))).images
    assert half.shape == (1, 32, 32)
    assert int(half[0, 0, 0]) == pytest.approx(100, abs=2)


def test_pixels_of_the_right_size_are_not_touched() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    images = read(encode("noise.png", Image.fromarray(noise)), image_size=32, fit="crop").images
    assert np.array_equal(images[0], noise)


def orientation_tag(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def test_photographs_are_rotated_upright() -> None:
    lying = fill("RGB", (0, 0, 0))
    lying.paste((250, 250, 250), (0, 0, 32, 8))  # bright above
    image = read(encode("photo.png", lying, exif=orientation_tag(3))).images[0]  # upside down
    assert image[-4, 16] == 250
    assert image[4, 16] == 0


@pytest.mark.parametrize(
    ("orientation", "size"), [(1, (32, 24)), (3, (32, 24)), (6, (24, 32)), (8, (24, 32))]
)
def test_sizes_are_those_of_the_upright_picture(orientation: int, size: tuple[int, int]) -> None:
    photo = encode("a.png", fill("L", 9, (32, 24)), exif=orientation_tag(orientation))
    with pytest.raises(DataError, match=f"pictures have {size[0]}×{size[1]} pixels"):
        read(photo, encode("b.png", fill("L", 9, size)))


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
def test_unsupported_sizes_are_refused_with_the_fix(
    sizes: list[tuple[int, int]], expected: str
) -> None:
    pictures = [encode(f"{w}.png", fill("L", 9, (w, h))) for w, h in sizes]
    with pytest.raises(DataError, match=expected):
        read(*pictures)
    with pytest.raises(DataError, match="add --fit crop"):
        read(*pictures, image_size=16)
    for fit in ("crop", "resize"):
        assert read(*pictures, image_size=16, fit=fit).images.shape[1:] == (16, 16)


def test_cropping_keeps_the_centre_and_resizing_keeps_all() -> None:
    wide = fill("L", 0, (96, 32))
    wide.paste(255, (0, 0, 32, 32))
    wide.paste(128, (32, 0, 64, 32))
    picture = encode("wide.png", wide)
    assert (read(picture, image_size=32, fit="crop").images == 128).all()
    assert read(picture, image_size=32, fit="resize").images[0, 16, 2] == 255


def test_damaged_pictures_are_named_counted_and_left_out() -> None:
    intact = intact_pictures(150)
    pixels = read(*intact[:100], damaged_picture("broken.png"), *intact[100:])
    assert list(pixels.hashes) == [picture.name for picture in intact]
    assert len(pixels.images) == 150
    (note,) = pixels.notes
    assert "1 pictures cannot be read and are left out: broken.png (no format" in note
    assert pixels.images[100, 0, 0] == 100


def test_a_truncated_picture_is_damaged() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    content = encode("whole.png", Image.fromarray(noise)).read()
    cut = Picture("cut.png", 0, lambda: content[:200])
    assert "cut.png" in read(cut, *intact_pictures(150)).notes[0]


def test_too_many_damaged_pictures_are_refused() -> None:
    intact = intact_pictures(98)
    with pytest.raises(DataError, match=r"2 of 100 pictures cannot be read, more than 1%: a.png"):
        read(*intact, damaged_picture("a.png"), damaged_picture("b.png"))
    with pytest.raises(DataError, match="no picture can be read"):
        read(damaged_picture("a.png"))


def test_a_data_set_larger_than_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fashion_ddpm.data.decode.MAX_BYTES", 1000)
    with pytest.raises(DataError, match=r"of memory.+ a smaller --image-size"):
        read(encode("a.png", fill("L", 9)))


def test_12_bits_in_16_bit_files_are_scaled_by_a_common_range() -> None:
    bright = np.full((32, 32), 4000, np.uint16)
    dim = np.full((32, 32), 1000, np.uint16)
    pixels = read(
        encode("bright.png", Image.fromarray(bright)),
        encode("dim.tif", Image.fromarray(dim), format="TIFF"),
        encode("bytes.png", fill("L", 7)),
    )
    assert pixels.images[:, 0, 0].tolist() == [4000 >> 4, 1000 >> 4, 7]
    (note,) = pixels.notes
    assert "2 pictures have more than 8 bits; their largest value is 4000 (bright.png)" in note
    assert "4095" in note


def test_animations_are_counted_and_their_first_frame_is_read() -> None:
    frames = [fill("L", value) for value in (50, 100, 150)]
    still = encode("still.png", fill("L", 9))
    for kind in ("GIF", "WEBP", "PNG"):
        options: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "format": kind}
        pixels = read(encode("film", frames[0], **options), still)
        assert int(pixels.images[0, 0, 0]) == pytest.approx(50, abs=2)
        (note,) = pixels.notes
        assert "1 pictures have several frames" in note
        assert "film" in note


def test_too_large_pictures_are_named_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    intact = intact_pictures(150)
    bomb = encode("bomb.png", fill("1", 0, (15_000, 15_000)))
    for limit in (Image.MAX_IMAGE_PIXELS, 15_000 * 14_000):  # an error of Pillow's, a warning
        monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", limit)
        pixels = read(bomb, *intact)
        assert list(pixels.hashes) == [picture.name for picture in intact]
        assert "1 pictures cannot be read and are left out: bomb.png" in pixels.notes[0]


def test_copies_are_counted() -> None:
    one, two = (encode(f"{value}.png", fill("L", value)) for value in (1, 2))
    (note,) = read(one, two, Picture("again.png", 0, one.read)).notes
    assert "1 pictures are copies of others" in note
    assert note.endswith(": again.png")


def test_each_decoded_picture_has_a_hash() -> None:
    one = encode("one.png", fill("L", 1))
    hashes = read(one, damaged_picture("broken.png"), *intact_pictures(150)).hashes
    assert hashes["one.png"] == hashlib.sha256(one.read()).hexdigest()
    assert len(hashes) == 151
