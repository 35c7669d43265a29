"""One typed request: what the page, the API and the command line ask for, checked once."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from fashion_ddpm.config import SAMPLERS, SCHEDULES, TURBO, TURBO_STEPS
from fashion_ddpm.errors import UserError
from fashion_ddpm.labels import ALL_CLASSES, CLASS_NAMES

MAX_STEPS = 1000
MAX_GUIDANCE = 10.0
MAX_SEED = 2**32 - 1
MAX_IMAGES = 10_000_000


class RequestError(UserError):
    """A request that cannot be served; the message names the value, what is allowed, the fix."""


@dataclass(frozen=True)
class GenerateRequest:
    """What to generate and how; constructing one checks it.

    Attributes:
        class_name: a class by name or by number, or "all", which cycles through them.
        num_images: images to make, 1 up.
        schedule: one of SCHEDULES.
        sampler: one of SAMPLERS, or turbo.
        num_inference_steps: UNet evaluations an image, 1 … 1000.
        guidance_scale: 1.0 (off) … 10.
        guidance_low, guidance_high: share of the training timesteps inside which guidance acts.
        seed: seed of the first image; image i has seed + i.
        class_names: the classes of the checkpoint that shall draw; no part of the settings.

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
    class_names: tuple[str, ...] = CLASS_NAMES

    def __post_init__(self) -> None:
        if self.class_name != ALL_CLASSES:
            class_label(self.class_name, self.class_names)
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("sampler", self.sampler, (*SAMPLERS, TURBO))
        check_whole("num_images", self.num_images, 1, MAX_IMAGES)
        check_whole("steps", self.num_inference_steps, 1, MAX_STEPS)
        check_number("guidance_scale", self.guidance_scale, 1.0, MAX_GUIDANCE)
        if self.sampler == TURBO and self.guidance_scale != 1.0:
            raise RequestError(
                f"guidance_scale is {self.guidance_scale}; sampler {TURBO} has none: it must be 1."
            )
        check_number("guidance_low", self.guidance_low, 0.0, 1.0)
        check_number("guidance_high", self.guidance_high, self.guidance_low, 1.0)
        check_whole("seed", self.seed, 0, MAX_SEED - self.num_images + 1)

    def labels(self) -> list[int]:
        """Returns one label an image."""
        if self.class_name == ALL_CLASSES:
            return [index % len(self.class_names) for index in range(self.num_images)]
        return [class_label(self.class_name, self.class_names)] * self.num_images

    def seeds(self) -> range:
        """Returns one seed an image."""
        return range(self.seed, self.seed + self.num_images)

    def of_image(self, index: int) -> "GenerateRequest":
        """Returns the request for one of the images alone; it gives the same image."""
        return dataclasses.replace(
            self,
            class_name=self.class_names[self.labels()[index]],
            num_images=1,
            seed=self.seed + index,
        )

    def as_settings(self) -> dict[str, Any]:
        """Returns the request as plain values, for PNG metadata and run files."""
        settings = dataclasses.asdict(self)
        del settings["class_names"]
        return settings


def usual_steps(sampler: str) -> int:
    """Returns the steps that a sampler takes when nothing is said."""
    return TURBO_STEPS if sampler == TURBO else GenerateRequest.num_inference_steps


def class_label(class_name: str, class_names: tuple[str, ...] = CLASS_NAMES) -> int:
    """Returns the label of a class given by name (in any case) or by number.

    Raises:
        RequestError: there is no such class.
    """
    if not isinstance(class_name, str):
        raise RequestError(f"class is {shown(class_name)}; it must be the name of a class.")
    names = [name.strip().lower() for name in class_names]
    wanted = class_name.strip().lower()
    if wanted in names:
        return names.index(wanted)
    if wanted.isascii() and wanted.isdigit() and int(wanted) < len(names):
        return int(wanted)
    raise RequestError(
        f"class is {shown(class_name)}; it must be one of {', '.join(class_names)}, a number "
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


def check_number(name: str, value: Any, low: float, high: float) -> None:
    """Raises RequestError when a value is no finite number within bounds, both included."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise RequestError(f"{name} is {shown(value)}; it must be a number from {low} to {high}.")


def shown(value: Any) -> str:
    """Returns a value as it may stand in a message: short, and never as markup."""
    text = repr(value)
    return (text if len(text) <= 40 else text[:40] + "…").translate(_PLAIN)


_PLAIN = str.maketrans("<>&[]`*_", "‹›＆⟦⟧ˋ∗＿")
"""What HTML and Markdown would read, as characters that look alike."""
