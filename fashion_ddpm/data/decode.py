"""Pictures in files become tensors of one size; damaged ones are counted and left out."""

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
"""Share of pictures that may be damaged."""

ORIENTATION_TAG = 0x0112
TRANSPOSED_ORIENTATIONS = (5, 6, 7, 8)
"""The EXIF tag that turns a picture, and its values that swap width and height."""

MAX_BYTES = 8 * 2**30
"""Most memory that the images of a data set may take."""


@dataclass(frozen=True)
class Pixels:
    """Pictures that were read.

    Attributes:
        images: uint8 [N, S, S], or [N, S, S, 3] in colour, train then test.
        hashes: the sha256 of each of these N files, by the picture's name; damaged ones have none.
        notes: sentences on what was left out or had to be decided.
    """

    images: np.ndarray
    hashes: dict[str, str]
    notes: tuple[str, ...]


@dataclass
class Survey:
    """What the beginnings of all files tell about a data set.

    Attributes:
        sizes: each width and height that occurs, with the first picture that has it.
        animated: names of the pictures with more than one frame.
        range: which value is white in pictures of more than 8 bits.
    """

    sizes: dict[tuple[int, int], str] = field(default_factory=dict)
    animated: list[str] = field(default_factory=list)
    range: PixelRange = field(default_factory=PixelRange)


def read_pictures(listing: Listing, settings: DataSettings) -> Pixels:
    """Read a whole data set into memory: as bytes, a million 32×32 images in grey take 1 GB.

    Raises:
        DataError: sizes differ, or none can be used, or too many pictures are damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return _read([*listing.train, *listing.test], settings)


def _read(pictures: Sequence[Picture], settings: DataSettings) -> Pixels:
    damaged: dict[str, str] = {}
    survey = _survey(pictures, damaged)
    white = survey.range.white
    size = settings.image_size or _common_size(survey, damaged)
    channels = 1 if settings.colours == GREY else 3
    _check_memory(len(pictures) * size * size * channels)
    images = np.empty((len(pictures), size, size, channels), np.uint8)
    hashes: dict[str, str] = {}
    for picture in pictures:
        with _noting(damaged, picture.name):
            content = picture.read()
            square = _square(_upright(content, white), picture.name, size, settings.fit)
            # Pillow holds grey pixels without a last axis.
            images[len(hashes)] = np.asarray(
                square.convert("L" if channels == 1 else "RGB")
            ).reshape(size, size, channels)
            hashes[picture.name] = hashlib.sha256(content).hexdigest()
    if len(damaged) > MAX_DAMAGED_SHARE * len(pictures):
        raise DataError(
            f"{len(damaged):,} of {len(pictures):,} pictures cannot be read, more than "
            f"{MAX_DAMAGED_SHARE:.0%}: {_named(damaged)}; repair or delete them."
        )
    images = images[: len(hashes)]
    grey = sum(bool((image == image[..., :1]).all()) for image in images)
    if settings.colours == GREY or (settings.colours == AUTO and grey == len(images)):
        images = np.ascontiguousarray(images[..., 0])
    mixed = grey if settings.colours == AUTO and images.ndim == 4 else 0
    return Pixels(images, hashes, tuple(_notes(damaged, survey, hashes, mixed)))


@contextmanager
def _noting(damaged: dict[str, str], name: str) -> Iterator[None]:
    """Note why a picture cannot be read, and go on with the next."""
    try:
        yield
    except DataError:
        raise
    except UnidentifiedImageError:
        damaged[name] = "no format that can be opened here"
    except Exception as error:  # damaged files fail in as many ways as there are formats
        damaged[name] = reason(error)


def _upright(content: bytes, white: int) -> Image.Image:
    """Return a picture as RGB, upright and on black paper."""
    with Image.open(io.BytesIO(content)) as opened:
        upright = ImageOps.exif_transpose(opened)
    if has_high_bit_depth(upright):
        upright = convert_to_8_bit(upright, white)
    if upright.has_transparency_data:
        paper = Image.new("RGBA", upright.size, "black")
        upright = Image.alpha_composite(paper, upright.convert("RGBA"))
    return upright.convert("RGB")


def _survey(pictures: Sequence[Picture], damaged: dict[str, str]) -> Survey:
    """Look at the beginning of each file, and at all of one whose pixels have over 8 bits.

    Raises:
        DataError: pixels have values that cannot be taken for brightness.
    """
    survey = Survey()
    for picture in pictures:
        with _noting(damaged, picture.name), Image.open(io.BytesIO(picture.read())) as opened:
            lying = opened.getexif().get(ORIENTATION_TAG) in TRANSPOSED_ORIENTATIONS
            size = (opened.height, opened.width) if lying else opened.size
            survey.sizes.setdefault(size, picture.name)
            # A photograph of format MPO holds a second, smaller one for previews.
            if getattr(opened, "n_frames", 1) > 1 and opened.format != "MPO":
                survey.animated.append(picture.name)
                opened.seek(0)
            survey.range.include(opened, picture.name)
    survey.range.check()
    return survey


def _common_size(survey: Survey, damaged: dict[str, str]) -> int:
    """Return the side that all pictures share.

    Raises:
        DataError: they share none, or one that no network here can have.
    """
    sizes = survey.sizes
    if not sizes:
        raise DataError(f"no picture can be read: {_named(damaged)}.")
    low, high = IMAGE_SIZES
    smallest = min(min(size) for size in sizes)
    fitting = min(max(smallest // SIZE_STEP * SIZE_STEP, low), high)
    fix = f"give --image-size {fitting} (or another) with --fit crop or --fit resize"
    shown = [f"{name} {width}×{height}" for (width, height), name in sizes.items()]
    if len(sizes) > 1:
        raise DataError(f"the pictures have {len(sizes)} sizes ({', '.join(shown[:3])}): {fix}.")
    ((width, height),) = sizes
    if width != height or width != fitting:
        raise DataError(
            f"the pictures have {width}×{height} pixels; they must be square, the side from {low} "
            f"to {high} and divisible by {SIZE_STEP}: {fix}."
        )
    return width


def _square(picture: Image.Image, name: str, size: int, fit: str) -> Image.Image:
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
    # A tensor that steps index is simpler than a data loader and its workers, and gives every
    # step the same batch on any number of processes; what does not fit must become smaller.
    if needed > MAX_BYTES:
        raise DataError(
            f"the images would take {needed / 2**30:.1f} GiB of memory, more than the "
            f"{MAX_BYTES / 2**30:.0f} GiB allowed: use fewer pictures, --colours grey, or a "
            "smaller --image-size with --fit."
        )


def _named(damaged: dict[str, str]) -> str:
    return shorten([f"{name} ({why})" for name, why in damaged.items()])


def _notes(
    damaged: dict[str, str], survey: Survey, hashes: dict[str, str], mixed: int
) -> Iterator[str]:
    if damaged:
        yield f"{len(damaged):,} pictures cannot be read and are left out: {_named(damaged)}"
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
    if mixed:
        yield (
            f"{mixed:,} of {len(hashes):,} pictures are grey and the others in colour, so all are "
            "learned in colour; --colours grey makes all of them grey"
        )
