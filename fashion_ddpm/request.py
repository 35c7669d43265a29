"""One typed request: what the page, the API and the command line ask for, checked once."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from fashion_ddpm.config import SAMPLERS, SCHEDULES
from fashion_ddpm.errors import UserError
from fashion_ddpm.labels import CLASS_NAMES

ALL_CLASSES = "all"
MAX_STEPS = 1000
MAX_GUIDANCE = 10.0
MAX_SEED = 2**32 - 1
MAX_IMAGES = 10_000_000
STRENGTHS = (0.05, 1.0)
"""How much of a drawing may be forgotten."""

STORY_LEVELS = (10, 1000)
FIRST_BETAS = (1e-5, 0.01)
LAST_BETAS = (0.001, 0.3)
"""The noise schedules that a visitor may make."""


class RequestError(UserError):
    """A request that cannot be served; the message names the value, what is allowed, the fix."""


@dataclass(frozen=True)
class GenerateRequest:
    """What to generate and how; constructing one checks it.

    Attributes:
        class_name: a class by name or by number, or "all", which cycles through them.
        num_images: images to make, 1 up.
        schedule: one of SCHEDULES.
        sampler: one of SAMPLERS.
        num_inference_steps: UNet evaluations an image, 1 … 1000.
        guidance_scale: 1.0 (off) … 10.
        guidance_low, guidance_high: share of the training timesteps inside which guidance acts.
        seed: seed of the first image; image i has seed + i.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    class_name: str
    num_images: int = 8
    schedule: str = SCHEDULES[0]
    sampler: str = SAMPLERS[0]
    num_inference_steps: int = 20
    guidance_scale: float = 1.0
    guidance_low: float = 0.0
    guidance_high: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.class_name != ALL_CLASSES:
            class_label(self.class_name)
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("sampler", self.sampler, SAMPLERS)
        check_whole("num_images", self.num_images, 1, MAX_IMAGES)
        check_whole("steps", self.num_inference_steps, 1, MAX_STEPS)
        _check_number("guidance_scale", self.guidance_scale, 1.0, MAX_GUIDANCE)
        _check_number("guidance_low", self.guidance_low, 0.0, 1.0)
        _check_number("guidance_high", self.guidance_high, self.guidance_low, 1.0)
        check_whole("seed", self.seed, 0, MAX_SEED - self.num_images + 1)

    def labels(self) -> list[int]:
        """Returns one label an image."""
        if self.class_name == ALL_CLASSES:
            return [index % len(CLASS_NAMES) for index in range(self.num_images)]
        return [class_label(self.class_name)] * self.num_images

    def seeds(self) -> range:
        """Returns one seed an image."""
        return range(self.seed, self.seed + self.num_images)

    def of_image(self, index: int) -> "GenerateRequest":
        """Returns the request for one of the images alone; it gives the same image."""
        return dataclasses.replace(
            self,
            class_name=CLASS_NAMES[self.labels()[index]],
            num_images=1,
            seed=self.seed + index,
        )

    def as_settings(self) -> dict[str, Any]:
        """Returns the request as plain values, for PNG metadata and run files."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class BlendRequest:
    """One seed, drawn as one class and then more and more as another; checked when made.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    first: str
    second: str
    seed: int

    def __post_init__(self) -> None:
        class_label(self.first)
        class_label(self.second)
        check_whole("seed", self.seed, 0, MAX_SEED)


@dataclass(frozen=True)
class WalkRequest:
    """One class, from one seed's noise to another's; checked when made.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    class_name: str
    first: int
    second: int

    def __post_init__(self) -> None:
        class_label(self.class_name)
        check_whole("from seed", self.first, 0, MAX_SEED)
        check_whole("to seed", self.second, 0, MAX_SEED)


@dataclass(frozen=True)
class RedrawRequest:
    """What a drawing shall become, and how much of it is forgotten; checked when made.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    class_name: str
    strength: float

    def __post_init__(self) -> None:
        class_label(self.class_name)
        _check_number("strength", self.strength, *STRENGTHS)


@dataclass(frozen=True)
class StoryRequest:
    """A noise schedule of one's own, and the class it is tried on; checked when made.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    levels: int
    first_beta: float
    last_beta: float
    class_name: str

    def __post_init__(self) -> None:
        check_whole("T", self.levels, *STORY_LEVELS)
        _check_number("first beta", self.first_beta, *FIRST_BETAS)
        _check_number("last beta", self.last_beta, *LAST_BETAS)
        class_label(self.class_name)


def class_label(class_name: str) -> int:
    """Returns the label of a class given by name (in any case) or by number.

    Raises:
        RequestError: there is no such class.
    """
    if not isinstance(class_name, str):
        raise RequestError(f"class is {shown(class_name)}; it must be the name of a class.")
    names = [name.lower() for name in CLASS_NAMES]
    wanted = class_name.strip().lower()
    if wanted in names:
        return names.index(wanted)
    if wanted.isascii() and wanted.isdigit() and int(wanted) < len(names):
        return int(wanted)
    raise RequestError(
        f"class is {shown(class_name)}; it must be one of {', '.join(CLASS_NAMES)}, a number "
        f"from 0 to {len(names) - 1}, or {ALL_CLASSES}."
    )


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise RequestError(f"{name} is {shown(value)}; it must be one of {', '.join(choices)}.")


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    """Raises RequestError when a value is no whole number within bounds, both included."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RequestError(
            f"{name} is {shown(value)}; it must be a whole number from {low:,} to {high:,}."
        )


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise RequestError(f"{name} is {shown(value)}; it must be a number from {low} to {high}.")


def shown(value: Any) -> str:
    """Returns a value as it may stand in a message: short, and never as markup."""
    text = repr(value)
    return (text if len(text) <= 40 else text[:40] + "…").translate(_PLAIN)


_PLAIN = str.maketrans("<>&[]`*_", "‹›＆⟦⟧ˋ∗＿")
"""What HTML and Markdown would read, as characters that look alike."""
