"""Decoding pictures to arrays of one size, without damaged ones."""

import hashlib
import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fashion_ddpm.core.data_settings import AUTO, CROP, GREY, REFUSE, DataSettings
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import IMAGE_SIZES, SIZE_STEP
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.listing import Listing, Picture, shorten
from fashion_ddpm.data.pixel_range import PixelRange, convert_to_8_bit, has_high_bit_depth

MAX_DAMAGED_SHARE = 0.01
"""Largest allowed share of damaged pictures."""

ORIENTATION_TAG = 0x0112
TRANSPOSED_ORIENTATIONS = (5, 6, 7, 8)
"""The EXIF tag for rotation, and its values that swap width and height."""

MAX_BYTES = 8 * 2**30
"""Largest allowed size of a data set in memory."""


@dataclass(frozen=True)
class Pixels:
    """Decoded pictures.

    Attributes:
        images: uint8 [N, S, S], or [N, S, S, 3] in colour, train then test.
        hashes: name → sha256 of the file of each of the N pictures, in order.
        notes: sentences on left-out pictures and on decisions.
    """

    images: np.ndarray
    hashes: dict[str, str]
    notes: tuple[str, ...]


@dataclass
class Survey:
    """Properties of a data set from the headers of its files.

    Attributes:
        sizes: width and height → name of the first picture of that size.
        animated: names of pictures with more than one frame.
        range: the value range of pictures with more than 8 bits.
    """

    sizes: dict[tuple[int, int], str] = field(default_factory=dict)
    animated: list[str] = field(default_factory=list)
    range: PixelRange = field(default_factory=PixelRange)


def read_pictures(listing: Listing, settings: DataSettings) -> Pixels:
    """Read a data set into memory; a million grey 32×32 images take 1 GB.

    Raises:
        DataError: sizes differ or are not supported, or too many pictures are damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return _read([*listing.train, *listing.test], settings)


def _read(pictures: Sequence[Picture], settings: DataSettings) -> Pixels:
    damaged: dict[str, str] = {}
    survey = _survey(pictures, damaged)
    size = settings.image_size or _common_size(survey, damaged)
    channels = 1 if settings.colours == GREY else 3
    _check_memory(len(pictures) * size * size * channels)
    images = np.empty((len(pictures), size, size, channels), np.uint8)
    hashes: dict[str, str] = {}
    for picture in pictures:
        with _catch(damaged, picture.name):
            content = picture.read()
            rgb = _decode(content, survey.range.white)
            square = _fit(rgb, picture.name, size, settings.fit)
            pixels = np.asarray(square.convert("L" if channels == 1 else "RGB"))
            images[len(hashes)] = pixels.reshape(size, size, channels)
            hashes[picture.name] = hashlib.sha256(content).hexdigest()
    if len(damaged) > MAX_DAMAGED_SHARE * len(pictures):
        raise DataError(
            f"{len(damaged):,} of {len(pictures):,} pictures cannot be read, more than "
            f"{MAX_DAMAGED_SHARE:.0%}: {_join_reasons(damaged)}; repair or delete them."
        )
    images = images[: len(hashes)]
    num_grey = sum(bool((image == image[..., :1]).all()) for image in images)
    if settings.colours == GREY or (settings.colours == AUTO and num_grey == len(images)):
        images = np.ascontiguousarray(images[..., 0])
    if settings.colours != AUTO or images.ndim == 3:
        num_grey = 0  # nothing to note
    return Pixels(images, hashes, tuple(_notes(damaged, survey, hashes, num_grey)))


@contextmanager
def _catch(damaged: dict[str, str], name: str) -> Iterator[None]:
    """Store the reason if a picture cannot be read."""
    try:
        yield
    except DataError:
        raise
    except UnidentifiedImageError:
        damaged[name] = "no format that can be opened here"
    except Exception as error:  # each format has its own errors
        damaged[name] = reason(error)


def _decode(content: bytes, white: int) -> Image.Image:
    """Return a picture as RGB, upright and on a black background."""
    with Image.open(io.BytesIO(content)) as opened:
        picture = ImageOps.exif_transpose(opened)
    if has_high_bit_depth(picture):
        picture = convert_to_8_bit(picture, white)
    if picture.has_transparency_data:
        background = Image.new("RGBA", picture.size, "black")
        picture = Image.alpha_composite(background, picture.convert("RGBA"))
    return picture.convert("RGB")


def _survey(pictures: Sequence[Picture], damaged: dict[str, str]) -> Survey:
    """Read the header of each file, and the pixels of those with more than 8 bits.

    Raises:
        DataError: pixel values have an unknown range.
    """
    survey = Survey()
    for picture in pictures:
        with _catch(damaged, picture.name), Image.open(io.BytesIO(picture.read())) as opened:
            is_transposed = opened.getexif().get(ORIENTATION_TAG) in TRANSPOSED_ORIENTATIONS
            size = (opened.height, opened.width) if is_transposed else opened.size
            survey.sizes.setdefault(size, picture.name)
            # MPO photographs hold a second, smaller picture for previews.
            if getattr(opened, "n_frames", 1) > 1 and opened.format != "MPO":
                survey.animated.append(picture.name)
                opened.seek(0)
            survey.range.include(opened, picture.name)
    survey.range.check()
    return survey


def _common_size(survey: Survey, damaged: dict[str, str]) -> int:
    """Return the size of all pictures.

    Raises:
        DataError: sizes differ, or the size is not supported.
    """
    sizes = survey.sizes
    if not sizes:
        raise DataError(f"no picture can be read: {_join_reasons(damaged)}.")
    low, high = IMAGE_SIZES
    smallest = min(min(size) for size in sizes)
    fitting = min(max(smallest // SIZE_STEP * SIZE_STEP, low), high)
    fix = f"give --image-size {fitting} (or another) with --fit crop or --fit resize"
    if len(sizes) > 1:
        examples = [f"{name} {width}×{height}" for (width, height), name in sizes.items()][:3]
        raise DataError(f"the pictures have {len(sizes)} sizes ({', '.join(examples)}): {fix}.")
    ((width, height),) = sizes
    if width != height or width != fitting:
        raise DataError(
            f"the pictures have {width}×{height} pixels; they must be square, the side from {low} "
            f"to {high} and divisible by {SIZE_STEP}: {fix}."
        )
    return width


def _fit(picture: Image.Image, name: str, size: int, fit: str) -> Image.Image:
    if picture.size == (size, size):
        return picture
    if fit == REFUSE:
        width, height = picture.size
        raise DataError(
            f"{name} has {width}×{height} pixels, not {size}×{size}: add --fit crop (its centre) "
            "or --fit resize (all of it, stretched)."
        )
    if fit == CROP:
        return ImageOps.fit(picture, (size, size))
    return picture.resize((size, size), Image.Resampling.BICUBIC)


def _check_memory(needed: int) -> None:
    # Indexing a tensor is simpler than a data loader, and a step's batch does not depend on the
    # number of processes.
    if needed > MAX_BYTES:
        raise DataError(
            f"the images would take {needed / 2**30:.1f} GiB of memory, more than the "
            f"{MAX_BYTES / 2**30:.0f} GiB allowed: use fewer pictures, --colours grey, or a "
            "smaller --image-size with --fit."
        )


def _join_reasons(damaged: dict[str, str]) -> str:
    return shorten([f"{name} ({error})" for name, error in damaged.items()])


def _notes(
    damaged: dict[str, str], survey: Survey, hashes: dict[str, str], num_grey: int
) -> Iterator[str]:
    if damaged:
        yield f"{len(damaged):,} pictures cannot be read and are left out: {_join_reasons(damaged)}"
    if survey.animated:
        yield (
            f"{len(survey.animated):,} pictures have several frames, of which the first is learned "
            f"from: {shorten(survey.animated)}"
        )
    yield from survey.range.notes()
    first = {content: name for name, content in reversed(hashes.items())}
    copies = [name for name, content in hashes.items() if first[content] != name]
    if copies:
        yield (
            f"{len(copies):,} pictures are copies of others, so that one may be learned from and "
            f"another tested on: {shorten(copies)}"
        )
    if num_grey:
        yield (
            f"{num_grey:,} of {len(hashes):,} pictures are grey and the others in colour, so all "
            "are learned in colour; --colours grey makes all of them grey"
        )
