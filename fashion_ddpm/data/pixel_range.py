"""Converting pictures with more than 8 bits to bytes, by the range of the data set."""

import numpy as np
from PIL import Image

from fashion_ddpm.data.labelled_images import DataError

WHITE_LEVELS = (1, 255, 1023, 4095, 16_383, 65_535)
"""Possible values of white: for fractions, and for 8 to 16 bits; 16-bit files often use fewer."""

DARK_LIMIT = 64
"""If no converted pixel reaches this value, the assumed range is wrong."""


def has_high_bit_depth(picture: Image.Image) -> bool:
    """Return whether grey pixels have 16 or 32 bits, which Pillow would clip at 255."""
    return picture.mode[0] in "IF"


def convert_to_8_bit(picture: Image.Image, white: int) -> Image.Image:
    """Return a picture with 8 bits, given its value of white."""
    values = np.asarray(picture).astype(np.float64)
    # Integers: the upper 8 of the used bits. Fractions: often n / 255.
    scaled = np.rint(values * 255) if white == 1 else np.floor(values * 256 / (white + 1))
    return Image.fromarray(scaled.astype(np.uint8))


class PixelRange:
    """The value of white, common to all high-bit-depth grey pictures of a data set."""

    def __init__(self) -> None:
        # Largest value and name of each picture.
        self._grey: list[tuple[float, str]] = []
        self._colour: list[tuple[float, str]] = []

    @property
    def white(self) -> int:
        """The smallest of WHITE_LEVELS that no pixel exceeds."""
        value, _ = _largest(self._grey)
        return next(white for white in WHITE_LEVELS if value <= white)

    def include(self, picture: Image.Image, name: str) -> None:
        """Include an opened picture of high bit depth; ignore others.

        Raises:
            DataError: its values are out of range.
        """
        if has_high_bit_depth(picture):
            values = np.asarray(picture)
            low, high = float(values.min()), float(values.max())
            if not (low >= 0 and high <= WHITE_LEVELS[-1]):  # NaN is out of range too
                raise DataError(
                    f"{name} has pixels from {low:g} to {high:g}; they must lie in 0 … 1 or in 0 … "
                    f"{WHITE_LEVELS[-1]}: scale all pictures alike, or save them with 8 bits."
                )
            self._grey.append((high, name))
        elif any(";16" in str(tile.args) for tile in getattr(picture, "tile", ())):
            # Pillow reads the upper 8 of 16 bits per colour.
            upper = int(np.asarray(picture.convert("RGB")).max())
            self._colour.append((256 * upper + 255, name))

    def check(self) -> None:
        """Raise DataError if the pictures would become almost black."""
        for kind, pictures, fraction, dark, white in (
            ("more than 8 bits", self._grey, 1, DARK_LIMIT, 255),
            ("16 bits a colour", self._colour, 0, 256 * DARK_LIMIT, 65_535),
        ):
            value, name = _largest(pictures)
            if fraction < value < dark:
                raise DataError(
                    f"no pixel of the {len(pictures):,} pictures of {kind} is brighter than "
                    f"{value:g} ({name}), which would be nearly black, as {white} is white: scale "
                    "all pictures alike, or save them with 8 bits."
                )

    def notes(self) -> list[str]:
        """Return a sentence on the value of white, if there are pictures of high bit depth."""
        if not self._grey:
            return []
        value, name = _largest(self._grey)
        return [
            f"{len(self._grey):,} pictures have more than 8 bits; their largest value is "
            f"{value:g} ({name}), so {self.white} is taken for white in all of them"
        ]


def _largest(pictures: list[tuple[float, str]]) -> tuple[float, str]:
    return max(pictures, default=(0.0, ""))
