"""Pictures in files become tensors of one size; damaged ones are counted and left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from fashion_ddpm.data import DataError
from fashion_ddpm.data_settings import AUTO, CROP, GREY, REFUSE, DataSettings
from fashion_ddpm.errors import reason
from fashion_ddpm.labels import IMAGE_SIZES, SIZE_STEP

MAX_UNREADABLE = 0.01
"""Share of pictures that may be damaged."""

NAMED = 10
"""Damaged pictures that a message names; the rest are counted."""

MAX_BYTES = 8 * 2**30
"""Most memory that the images of a data set may take."""


@dataclass(frozen=True)
class Picture:
    """A picture that is still in its file.

    Attributes:
        name: what messages call it.
        label: place of its class.
        open: returns the picture, which may turn out to be damaged.
    """

    name: str
    label: int
    open: Callable[[], Image.Image]


@dataclass(frozen=True)
class Listing:
    """The pictures of a data set, before they are read.

    Attributes:
        class_names: in label order.
        train: pictures to learn from.
        test: pictures to judge by; none where they are to be split off.
    """

    class_names: tuple[str, ...]
    train: Sequence[Picture]
    test: Sequence[Picture] = ()


@dataclass(frozen=True)
class Pixels:
    """Pictures that were read.

    Attributes:
        images: uint8 [N, S, S], or [N, S, S, 3] in colour.
        labels: int64 [N].
        read: bool, one for each picture of the listing, train then test: N are true.
        notes: sentences on what was left out.
    """

    images: np.ndarray
    labels: np.ndarray
    read: np.ndarray
    notes: tuple[str, ...]


def read_pictures(listing: Listing, settings: DataSettings) -> Pixels:
    """Reads a whole data set into memory: as bytes, a million 32×32 images in grey take 1 GB.

    Raises:
        DataError: sizes differ, or none can be used, or too many pictures are damaged.
    """
    pictures = [*listing.train, *listing.test]
    damaged: dict[str, str] = {}
    size = settings.image_size or _common_size(pictures, damaged)
    channels = 1 if settings.colours == GREY else 3
    _check_memory(len(pictures) * size * size * channels)
    images = np.empty((len(pictures), size, size, channels), np.uint8)
    read = np.zeros(len(pictures), bool)
    for place, picture in enumerate(pictures):
        opened = _opened(picture, damaged)
        if opened is not None:
            square = _square(opened, picture.name, size, settings.fit)
            # Pillow holds grey pixels without a last axis.
            images[place] = np.asarray(square.convert("L" if channels == 1 else "RGB")).reshape(
                size, size, channels
            )
            read[place] = True
    _check_damage(damaged, len(pictures))
    labels = np.array([picture.label for picture in pictures], np.int64)
    kept = _without_idle_axis(images if read.all() else images[read], settings.colours)
    return Pixels(kept, labels[read], read, tuple(_notes(damaged)))


def _without_idle_axis(images: np.ndarray, colours: str) -> np.ndarray:
    """Returns grey images as [N, S, S]; under AUTO also those whose three colours are the same."""
    is_grey = images.shape[-1] == 1
    if colours == AUTO:
        is_grey = all((image == image[..., :1]).all() for image in images)
    return np.ascontiguousarray(images[..., 0]) if is_grey else images


def _opened(picture: Picture, damaged: dict[str, str]) -> Image.Image | None:
    """Returns a picture as RGB, upright and on black paper, or None: then it is noted."""
    try:
        with picture.open() as opened:
            return _plain(opened)
    except Exception as error:  # damaged files fail in as many ways as there are formats
        damaged[picture.name] = reason(error)
        return None


def _plain(picture: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I;16"):
        upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
    if upright.mode in ("I", "F"):
        raise ValueError(f"its pixels are of mode {upright.mode}, not bytes")
    if upright.has_transparency_data:
        paper = Image.new("RGBA", upright.size, "black")
        upright = Image.alpha_composite(paper, upright.convert("RGBA"))
    return upright.convert("RGB")


def _common_size(pictures: Sequence[Picture], damaged: dict[str, str]) -> int:
    """Returns the side that all pictures share.

    Raises:
        DataError: they share none, or one that no network here can have.
    """
    sizes: dict[tuple[int, int], str] = {}
    for picture, size in _sizes(pictures, damaged):
        sizes.setdefault(size, picture.name)
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


def _sizes(
    pictures: Sequence[Picture], damaged: dict[str, str]
) -> Iterator[tuple[Picture, tuple[int, int]]]:
    """Yields each picture's width and height, from the beginning of its file alone."""
    for picture in pictures:
        try:
            with picture.open() as opened:
                yield picture, opened.size
        except Exception as error:  # as in _opened
            damaged[picture.name] = reason(error)


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


def _named(damaged: dict[str, str]) -> str:
    named = [f"{name} ({why})" for name, why in list(damaged.items())[:NAMED]]
    return "; ".join(named) + ("; …" if len(damaged) > NAMED else "")


def _notes(damaged: dict[str, str]) -> Iterator[str]:
    if damaged:
        yield f"{len(damaged):,} pictures cannot be read and are left out: {_named(damaged)}"
