"""Pictures in files become tensors of one size; damaged ones are counted and left out."""

import hashlib
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fashion_ddpm.core.data_settings import AUTO, CROP, GREY, REFUSE, DataSettings
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import IMAGE_SIZES, SIZE_STEP
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.listing import NAMED, Listing, Picture, shortened
from fashion_ddpm.data.pixel_range import PixelRange, is_wide

MAX_UNREADABLE = 0.01
"""Share of pictures that may be damaged."""

ORIENTATION = 0x0112
LYING = (5, 6, 7, 8)
"""The EXIF tag that turns a picture, and its values that swap width and height."""

MAX_BYTES = 8 * 2**30
"""Most memory that the images of a data set may take."""


@dataclass(frozen=True)
class Pixels:
    """Pictures that were read.

    Attributes:
        images: uint8 [N, S, S], or [N, S, S, 3] in colour.
        labels: int64 [N].
        read: bool, one for each picture of the listing, train then test: N are true.
        hashes: the sha256 of each file that was read, by the picture's name.
        notes: sentences on what was left out or had to be decided.
    """

    images: np.ndarray
    labels: np.ndarray
    read: np.ndarray
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
        return _read(listing, settings)


def _read(listing: Listing, settings: DataSettings) -> Pixels:
    pictures = [*listing.train, *listing.test]
    damaged: dict[str, str] = {}
    survey = _survey(pictures, damaged)
    size = settings.image_size or _common_size(survey, damaged)
    channels = 1 if settings.colours == GREY else 3
    _check_memory(len(pictures) * size * size * channels)
    images = np.empty((len(pictures), size, size, channels), np.uint8)
    read = np.zeros(len(pictures), bool)
    hashes: dict[str, str] = {}
    for index, picture in enumerate(pictures):
        try:
            content = picture.read()
            upright = _plain(content, survey.range)
        except Exception as error:  # damaged files fail in as many ways as there are formats
            damaged[picture.name] = _why(error)
            continue
        square = _square(upright, picture.name, size, settings.fit)
        # Pillow holds grey pixels without a last axis.
        images[index] = np.asarray(square.convert("L" if channels == 1 else "RGB")).reshape(
            size, size, channels
        )
        read[index] = True
        hashes[picture.name] = hashlib.sha256(content).hexdigest()
    _check_damage(damaged, len(pictures))
    labels = np.array([picture.label for picture in pictures], np.int64)
    kept, mixed = _without_idle_axis(images if read.all() else images[read], settings.colours)
    notes = (*_notes(damaged, survey, hashes), *mixed)
    return Pixels(kept, labels[read], read, hashes, notes)


def _without_idle_axis(images: np.ndarray, colours: str) -> tuple[np.ndarray, list[str]]:
    """Return grey images as [N, S, S]; under AUTO also those whose three colours are the same.

    The second value is a note where grey pictures lie among those in colour.
    """
    if colours != AUTO:
        return (np.ascontiguousarray(images[..., 0]) if images.shape[-1] == 1 else images), []
    grey = sum(bool((image == image[..., :1]).all()) for image in images)
    if grey == len(images):
        return np.ascontiguousarray(images[..., 0]), []
    note = (
        f"{grey:,} of {len(images):,} pictures are grey and the others in colour, so all are "
        "learned in colour; --colours grey makes all of them grey"
    )
    return images, [note] if grey else []


def _plain(content: bytes, pixel_range: PixelRange) -> Image.Image:
    """Return a picture as RGB, upright and on black paper."""
    with Image.open(io.BytesIO(content)) as opened:
        upright = ImageOps.exif_transpose(opened)
    if is_wide(upright):
        upright = pixel_range.narrow(upright)
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
        try:
            with Image.open(io.BytesIO(picture.read())) as opened:
                lying = opened.getexif().get(ORIENTATION) in LYING
                size = (opened.height, opened.width) if lying else opened.size
                survey.sizes.setdefault(size, picture.name)
                # A photograph of format MPO holds a second, smaller one for previews.
                if getattr(opened, "n_frames", 1) > 1 and opened.format != "MPO":
                    survey.animated.append(picture.name)
                    opened.seek(0)
                survey.range.include(opened, picture.name)
        except DataError:
            raise
        except Exception as error:  # as in _read
            damaged[picture.name] = _why(error)
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


def _check_damage(damaged: dict[str, str], count: int) -> None:
    if len(damaged) > MAX_UNREADABLE * count:
        raise DataError(
            f"{len(damaged):,} of {count:,} pictures cannot be read, more than "
            f"{MAX_UNREADABLE:.0%}: {_named(damaged)}; repair or delete them."
        )


def _why(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no format that can be opened here"
    return reason(error)


def _named(damaged: dict[str, str]) -> str:
    named = [f"{name} ({why})" for name, why in list(damaged.items())[:NAMED]]
    return "; ".join(named) + ("; …" if len(damaged) > NAMED else "")


def _notes(damaged: dict[str, str], survey: Survey, hashes: dict[str, str]) -> Iterator[str]:
    if damaged:
        yield f"{len(damaged):,} pictures cannot be read and are left out: {_named(damaged)}"
    if survey.animated:
        yield (
            f"{len(survey.animated):,} pictures have several frames, of which the first is learned "
            f"from: {shortened(survey.animated)}"
        )
    yield from survey.range.notes()
    first = {content: name for name, content in reversed(hashes.items())}
    copies = [name for name, content in hashes.items() if first[content] != name]
    if copies:
        yield (
            f"{len(copies):,} pictures are copies of others, so that one may be learned from and "
            f"another tested on: {shortened(copies)}"
        )
