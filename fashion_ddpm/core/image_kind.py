"""What a network draws: class names, the label that means "no class", size, colours, prompts."""

import unicodedata
from dataclasses import dataclass

from fashion_ddpm.core.settings import ConfigError

CLASS_NAMES: tuple[str, ...] = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

ALL_CLASSES = "all"
"""Stands for every class in turn, so no class may have this name."""

MAX_CLASSES = 1000
MAX_NAME = 40
"""Longest class name, in characters."""

IMAGE_SIZES = (8, 256)
"""Smallest and largest side of an image in pixels; it must be divisible by SIZE_STEP."""

SIZE_STEP = 4
COLOURS = {1: "grey", 3: "colour"}
"""Channels of an image → what it is called."""


@dataclass(frozen=True)
class ImageKind:
    """What the images of a data set, or of a network, are: whoever needs to know asks this.

    Attributes:
        class_names: in label order, 1 … MAX_CLASSES.
        image_size: side in pixels, divisible by SIZE_STEP, inside IMAGE_SIZES.
        channels: 1 grey, 3 colour.

    Raises:
        ConfigError: one of them cannot be.
    """

    class_names: tuple[str, ...]
    image_size: int
    channels: int

    def __post_init__(self) -> None:
        _check_names(self.class_names)
        low, high = IMAGE_SIZES
        if not low <= self.image_size <= high or self.image_size % SIZE_STEP:
            raise ConfigError(
                f"the image size is {self.image_size}; it must be divisible by {SIZE_STEP}, from "
                f"{low} to {high} pixels."
            )
        if self.channels not in COLOURS:
            raise ConfigError(f"images have {self.channels} channels; they must have 1 or 3.")

    @property
    def null_label(self) -> int:
        """The class label that training puts in place of a dropped one (guidance needs it)."""
        return len(self.class_names)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width, as the network has them."""
        return self.channels, self.image_size, self.image_size

    @property
    def is_fashion_mnist(self) -> bool:
        """Whether these are Fashion-MNIST's, whose garments the embedded scorers have seen."""
        return self == FASHION_MNIST

    @property
    def class_noun(self) -> str:
        """What the page calls a class."""
        return "garment" if self.is_fashion_mnist else "class"

    @property
    def class_nouns(self) -> str:
        """What the page calls several classes."""
        return "garments" if self.is_fashion_mnist else "classes"

    @property
    def image_nouns(self) -> str:
        """What the page calls several images."""
        return "garments" if self.is_fashion_mnist else "images"

    @property
    def prompt_noun(self) -> str:
        """What a prompt calls an image of no certain class."""
        return "clothing item" if self.is_fashion_mnist else "image"

    def __str__(self) -> str:
        names = ", ".join(self.class_names[:12]) + (", …" if len(self.class_names) > 12 else "")
        side = self.image_size
        return f"{COLOURS[self.channels]} images of {side}×{side} pixels, classes {names}"


def _check_names(names: tuple[str, ...]) -> None:
    if not 1 <= len(names) <= MAX_CLASSES:
        raise ConfigError(f"there are {len(names):,} classes; there must be 1 to {MAX_CLASSES:,}.")
    for name in names:
        # They become file names, prompts and parts of the page.
        if not name.strip() or len(name) > MAX_NAME or name[0] == "." or set(name) & set("/\\<>|"):
            raise ConfigError(
                f"a class is named {name[:MAX_NAME]!r}; a name has 1 to {MAX_NAME} characters, "
                "begins with no dot and holds no slash, bar or angle bracket: rename it."
            )
        if not name.isprintable() or name.lower() == ALL_CLASSES:
            raise ConfigError(f"a class is named {name!r}, which means something else: rename it.")
    if len(set(map(normalize_name, names))) < len(names):
        raise ConfigError(
            "two classes differ in nothing but capitals, blanks or how accents are stored: rename "
            "one."
        )


def normalize_name(name: str) -> str:
    """Return a class name as names are compared: capitals, and how accents are stored, are one.

    Folders made on a Mac store an accent apart from its letter; keyboards send both as one sign.
    """
    return unicodedata.normalize("NFC", name.strip().lower())


FASHION_MNIST = ImageKind(CLASS_NAMES, image_size=28, channels=1)
NULL_LABEL = FASHION_MNIST.null_label
BLURRY_PROMPT = f"A blurry or unclear {FASHION_MNIST.prompt_noun}"


def label_prompts(class_names: tuple[str, ...]) -> list[str]:
    """Return the prompt that names each class, in label order: "A trouser", "An ankle boot"."""
    return [f"{_article(name)} {name}" for name in class_names]


def quality_prompts(class_name: str, kind: ImageKind) -> list[str]:
    """Return the three prompts between which the report's CLIP had to choose."""
    return [
        f"{_article(class_name)} {class_name}",
        f"A clear, well-generated {class_name}",
        f"A blurry or unclear {kind.prompt_noun}",
    ]


def _article(noun: str) -> str:
    return "An" if noun[0].lower() in "aeiou" else "A"
