"""Tests of converting 16-bit and float pictures to bytes."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.pixel_range import PixelRange, convert_to_8_bit


def open_image(values: Any, kind: str = "TIFF") -> Image.Image:
    """Return a picture of such pixels as it is opened from a file."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(values)).save(file, kind)
    return Image.open(io.BytesIO(file.getvalue()))


def constant(value: float, kind: Any = np.uint16) -> np.ndarray:
    return np.full((8, 8), value, kind)


def big_endian(values: np.ndarray) -> Image.Image:
    """Return a big-endian grey 16-bit TIFF."""
    pixels = values.astype(">u2").tobytes()
    height, width = values.shape
    one = {256: width, 257: height, 258: 16, 259: 1, 262: 1, 277: 1, 278: height}
    entries = [struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in one.items()]
    long = {273: 8, 279: len(pixels)}
    entries += [struct.pack(">HHII", tag, 4, 1, value) for tag, value in long.items()]
    directory = struct.pack(">H", len(entries)) + b"".join(sorted(entries)) + struct.pack(">I", 0)
    return Image.open(
        io.BytesIO(b"MM\0*" + struct.pack(">I", 8 + len(pixels)) + pixels + directory)
    )


def convert(*pictures: Image.Image) -> list[int]:
    """Return the first byte of each converted picture."""
    pixel_range = PixelRange()
    for index, picture in enumerate(pictures):
        pixel_range.include(picture, f"{index}.tif")
    pixel_range.check()
    return [int(np.asarray(convert_to_8_bit(each, pixel_range.white))[0, 0]) for each in pictures]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([255, 7], [255, 7]),
        ([1023, 512], [255, 128]),
        ([4095, 2048, 0], [255, 128, 0]),
        ([16_383, 4096], [255, 64]),
        ([65_535, 256, 255], [255, 1, 0]),
        ([1, 0], [255, 0]),
    ],
)
def test_white_is_the_largest_value_of_the_used_bits(
    values: list[int], expected: list[int]
) -> None:
    for kind in (np.uint16, np.int32, np.float32):
        assert convert(*(open_image(constant(value, kind)) for value in values)) == expected


def test_big_endian_pixels_are_converted() -> None:
    picture = big_endian(constant(4000))
    assert picture.mode == "I;16B"
    assert convert(picture, open_image(constant(1000))) == [250, 62]


def test_fractions_of_255_are_converted_exactly() -> None:
    every = np.arange(256, dtype=np.float32).reshape(16, 16)
    assert np.array_equal(np.asarray(convert_to_8_bit(open_image(every / 255), white=1)), every)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(-1, np.int32), (70_000, np.int32), (float("nan"), np.float32), (-0.5, np.float32)],
)
def test_values_out_of_range_are_refused(value: float, kind: Any) -> None:
    pixels = constant(3, kind)
    pixels[0, 0] = value
    low, high = pixels.min(), pixels.max()
    with pytest.raises(DataError, match=rf"ct\.tif has pixels from {low:g} to {high:g}; they must"):
        PixelRange().include(open_image(pixels), "ct.tif")


def test_almost_black_pictures_are_refused() -> None:
    with pytest.raises(DataError, match=r"brighter than 15 \(0\.tif\)"):
        convert(open_image(constant(15)))
    # Fractions that a filter has carried beyond 1 are not bytes.
    with pytest.raises(DataError, match=r"brighter than 1\.02"):
        convert(open_image(constant(1.02, np.float32)))


def sixteen_bit_colours(value: int) -> Image.Image:
    """Return a PNG with 16 bits per colour, which Pillow cannot write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    rows = (b"\0" + struct.pack(">3H", value, value, value) * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return Image.open(io.BytesIO(b"\x89PNG\r\n\x1a\n" + parts))


def test_12_bits_per_colour_in_16_bit_files_are_refused() -> None:
    pixel_range = PixelRange()
    pixel_range.include(sixteen_bit_colours(4000), "sky.png")
    pixel_range.include(open_image(np.full((8, 8, 3), 200, np.uint8), "PNG"), "bytes.png")
    with pytest.raises(DataError, match=r"16 bits a colour .+ 4095 \(sky\.png\)"):
        pixel_range.check()
    pixel_range.include(sixteen_bit_colours(65_000), "sun.png")
    pixel_range.check()
    assert not pixel_range.notes()
