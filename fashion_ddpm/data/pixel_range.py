"""Pictures of more than 8 bits a value become bytes, by the range that the data set uses."""

import numpy as np
from PIL import Image

from fashion_ddpm.data.labelled_images import DataError

WHITES = (1, 255, 1023, 4095, 16_383, 65_535)
"""What white can be: fractions, and 8, 10, 12, 14 or 16 bits; files of 16 bits often use fewer."""

DARK = 64
"""Where no byte reaches this value, the range is not the one it was taken for."""


def is_wide(picture: Image.Image) -> bool:
    """Return whether grey pixels have 16 or 32 bits; Pillow's conversion would clip at 255."""
    return picture.mode[0] in "IF"


def has_wide_colours(picture: Image.Image) -> bool:
    """Return whether a picture just opened has 16 bits a colour; Pillow reads the upper 8."""
    return not is_wide(picture) and any(
        ";16" in str(tile.args) for tile in getattr(picture, "tile", ())
    )


class PixelRange:
    """The value that is white in a data set's wide grey pictures, the same in all of them."""

    def __init__(self) -> None:
        self._grey = Highest()
        self._colour = Highest()

    @property
    def white(self) -> int:
        """The smallest of WHITES that no wide pixel exceeds."""
        return next(white for white in WHITES if self._grey.value <= white)

    def include(self, picture: Image.Image, name: str) -> None:
        """Widen the range by that of a picture that was just opened; others change nothing.

        Raises:
            DataError: its values cannot be taken for brightness.
        """
        if has_wide_colours(picture):
            self._colour.include(float(np.asarray(picture.convert("RGB")).max()), name)
        if not is_wide(picture):
            return
        values = np.asarray(picture)
        low, high = float(values.min()), float(values.max())
        if not (low >= 0 and high <= WHITES[-1]):  # so that NaN is refused too
            raise DataError(
                f"{name} has pixels from {low:g} to {high:g}; they must lie in 0 … 1 or in 0 … "
                f"{WHITES[-1]}: scale all pictures alike, or save them with 8 bits."
            )
        self._grey.include(high, name)

    def check(self) -> None:
        """Raise DataError where the wide pictures would be learned as black."""
        grey, colour = self._grey, self._colour
        if 1 < grey.value < DARK:
            raise DataError(
                f"no pixel of the {grey.count:,} pictures of more than 8 bits is brighter than "
                f"{grey.value:g} ({grey.name}), which would be nearly black, as 255 is white: "
                "scale all pictures alike, or save them with 8 bits."
            )
        if colour.count and colour.value < DARK:
            raise DataError(
                f"no pixel of the {colour.count:,} pictures of 16 bits a colour is brighter than "
                f"{256 * colour.value + 255:g} ({colour.name}), which would be nearly black, as "
                "65535 is white: scale all pictures alike, or save them with 8 bits."
            )

    def narrow(self, picture: Image.Image) -> Image.Image:
        """Return a wide picture with 8 bits."""
        values, white = np.asarray(picture).astype(np.float64), self.white
        # Of whole numbers the upper 8 of the bits in use; fractions are often bytes over 255.
        scaled = np.rint(values * 255) if white == 1 else np.floor(values * 256 / (white + 1))
        return Image.fromarray(scaled.astype(np.uint8))

    def notes(self) -> list[str]:
        """Return a sentence on what was decided, where there was something to decide."""
        grey = self._grey
        if not grey.count:
            return []
        return [
            f"{grey.count:,} pictures have more than 8 bits; their largest value is "
            f"{grey.value:g} ({grey.name}), so {self.white} is taken for white in all of them"
        ]


class Highest:
    """The largest of some values, where it was found, and how many there were."""

    def __init__(self) -> None:
        self.value = 0.0
        self.name = ""
        self.count = 0

    def include(self, value: float, name: str) -> None:
        """Take one more value into account."""
        self.count += 1
        if value >= self.value:
            self.value, self.name = value, name
