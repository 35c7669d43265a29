"""The kind of images a network generates: class names, null label, size, channels, prompts."""

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
"""The class_name of a request for all classes in turn; no class may have this name."""

MAX_CLASSES = 1000
MAX_NAME = 40
"""Longest class name, in characters."""

IMAGE_SIZES = (8, 256)
"""Smallest and largest side of an image in pixels; it must be divisible by SIZE_STEP."""

SIZE_STEP = 4
COLOURS = {1: "grey", 3: "colour"}
"""Number of channels → name."""


@dataclass(frozen=True)
class ImageKind:
    """The kind of images of a data set or a network.

    Attributes:
        class_names: in label order, 1 … MAX_CLASSES.
        image_size: side in pixels, divisible by SIZE_STEP, inside IMAGE_SIZES.
        channels: 1 grey, 3 colour.

    Raises:
        ConfigError: a value is not allowed.
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
        """The label that means "no class", for classifier-free guidance."""
        return len(self.class_names)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.channels, self.image_size, self.image_size

    @property
    def is_fashion_mnist(self) -> bool:
        """Whether these are Fashion-MNIST's, the only ones that the embedded scorers know."""
        return self == FASHION_MNIST

    @property
    def class_noun(self) -> str:
        """The page's word for a class."""
        return "garment" if self.is_fashion_mnist else "class"

    @property
    def class_nouns(self) -> str:
        """The page's word for several classes."""
        return "garments" if self.is_fashion_mnist else "classes"

    @property
    def image_nouns(self) -> str:
        """The page's word for several images."""
        return "garments" if self.is_fashion_mnist else "images"

    @property
    def prompt_noun(self) -> str:
        """The word of a prompt for an image of any class."""
        return "clothing item" if self.is_fashion_mnist else "image"

    def __str__(self) -> str:
        names = ", ".join(self.class_names[:12]) + (", …" if len(self.class_names) > 12 else "")
        size = self.image_size
        return f"{COLOURS[self.channels]} images of {size}×{size} pixels, classes {names}"


def _check_names(names: tuple[str, ...]) -> None:
    if not 1 <= len(names) <= MAX_CLASSES:
        raise ConfigError(f"there are {len(names):,} classes; there must be 1 to {MAX_CLASSES:,}.")
    for name in names:
        # Names become file names, prompts and HTML.
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
    """Return a class name in lower case and in Unicode's composed form, for comparisons.

    Folder names from a Mac are decomposed: an accent is a character of its own.
    """
    return unicodedata.normalize("NFC", name.strip().lower())


FASHION_MNIST = ImageKind(CLASS_NAMES, image_size=28, channels=1)
NULL_LABEL = FASHION_MNIST.null_label
BLURRY_PROMPT = f"A blurry or unclear {FASHION_MNIST.prompt_noun}"

CLEAR_PROMPT = 1
"""Index, in quality_prompts, of the prompt for a clear image."""


def label_prompts(class_names: tuple[str, ...]) -> list[str]:
    """Return a CLIP prompt for each class, in label order: "A trouser", "An ankle boot".

    The captions that the bundled scorer was trained on are in scoring/clip_captions.py.
    """
    return [f"{_article(name)} {name}" for name in class_names]


def quality_prompts(class_name: str, kind: ImageKind) -> list[str]:
    """Return the three CLIP prompts of the student's report."""
    return [
        f"{_article(class_name)} {class_name}",
        f"A clear, well-generated {class_name}",
        f"A blurry or unclear {kind.prompt_noun}",
    ]


def _article(noun: str) -> str:
    return "An" if noun[0].lower() in "aeiou" else "A"
