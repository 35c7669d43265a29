"""Settings that name a data set and how its pictures become square images of one size."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashion_ddpm.core.image_kind import FASHION_MNIST, IMAGE_SIZES, SIZE_STEP
from fashion_ddpm.core.settings import DATA_DIR_VARIABLE, ConfigError, check_fields, setting

FASHION, FOLDER_PREFIX, HUB_PREFIX = "fashion-mnist", "imagefolder:", "hub:"
"""Values of --dataset; the last two are prefixes of a path or a name."""

REFUSE, RESIZE, CROP = FITS = ("none", "resize", "crop")
AUTO, GREY, RGB = COLOUR_CHOICES = ("auto", "grey", "rgb")


def may_be_equal(name: str, first: Any, second: Any) -> bool:
    """Return whether two values of a setting are equal, or both name image folders.

    A folder may have been moved; whether it is the same is decided by its content.
    """
    folders = [str(value).startswith(FOLDER_PREFIX) for value in (first, second)]
    return first == second or (name == "dataset" and all(folders))


@dataclass(frozen=True)
class DataSettings:
    """A data set, as given by flags."""

    dataset: str = setting(
        FASHION, "fashion-mnist, imagefolder:PATH (a folder a class) or hub:NAME (package datasets)"
    )
    data_dir: str = setting("data", f"folder that holds FashionMNIST/raw (${DATA_DIR_VARIABLE})")
    image_size: int = setting(
        0, "side of your own images, pixels, divisible by 4; 0: as they are", high=IMAGE_SIZES[1]
    )
    fit: str = setting(
        REFUSE, "what makes your own pictures that size: stretching, or the centre", choices=FITS
    )
    colours: str = setting(
        AUTO, "of your own images; auto: grey if all are", choices=COLOUR_CHOICES
    )

    def __post_init__(self) -> None:
        check_fields(self)
        is_custom = self.dataset.startswith((FOLDER_PREFIX, HUB_PREFIX)) and self.source
        if not is_custom and self.dataset != FASHION:
            raise ConfigError(
                f"--dataset is {self.dataset!r}; it must be {FASHION}, "
                f"{FOLDER_PREFIX}PATH or {HUB_PREFIX}NAME."
            )
        if not is_custom and (self.image_size, self.fit, self.colours) != (0, REFUSE, AUTO):
            raise ConfigError(
                f"--image-size, --fit and --colours are for your own pictures; {FASHION} is grey "
                f"and has {FASHION_MNIST.image_size} pixels: leave them out, or name a --dataset."
            )
        if self.image_size and (self.image_size < IMAGE_SIZES[0] or self.image_size % SIZE_STEP):
            raise ConfigError(
                f"--image-size is {self.image_size}; it must be divisible by {SIZE_STEP}, from "
                f"{IMAGE_SIZES[0]} to {IMAGE_SIZES[1]}."
            )
        if self.fit != REFUSE and not self.image_size:
            raise ConfigError(f"--fit {self.fit} needs the size to reach: add --image-size.")

    @property
    def source(self) -> str:
        """The path or name after the colon; empty for Fashion-MNIST."""
        return self.dataset.partition(":")[2]

    @property
    def public_name(self) -> str:
        """The data set without the path of its folder, which may be private."""
        if self.source and (self.dataset.startswith(FOLDER_PREFIX) or Path(self.source).exists()):
            return self.dataset.partition(":")[0] + ":" + Path(self.source).resolve().name
        return self.dataset
