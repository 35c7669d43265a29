"""One typed request: what the page, the API and the command line ask for, checked once."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fashion_ddpm.core.config import SAMPLERS, SCHEDULES, TURBO, TURBO_STEPS
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import ALL_CLASSES, CLASS_NAMES, normalize_name

MAX_STEPS = 1000
MAX_GUIDANCE = 10.0
MAX_SEED = 2**32 - 1
MAX_IMAGES = 10_000_000

EVALUATION_DEFAULTS: dict[str, Any] = {"schedule": "cosine", "num_inference_steps": 20}
"""What reports are measured with where nothing else is said: their figures stay comparable."""


MODEL_KEY, SCORER_KEY = "model", "scorer"
"""Words of what is no setting of a request: the start of the weights' checksum, and who scored."""


class RequestError(UserError):
    """A request that cannot be served; the message names the value, what is allowed, the fix.

    Args:
        sentence: the message; after the name of a setting, where one is given.
        setting: the field of a request that is wrong, or "".
    """

    def __init__(self, sentence: str, setting: str = "") -> None:
        super().__init__(
            f"{SETTING_NAMES.get(setting, setting)} {sentence}" if setting else sentence
        )
        self.sentence, self.setting = sentence, setting

    def format_message(self, names: Mapping[str, str]) -> str:
        """Return the message with another name for the setting."""
        return f"{names.get(self.setting, self.setting)} {self.sentence}".lstrip()


def _named(word: str, label: str, default: Any = dataclasses.MISSING) -> Any:
    """Return a field with its name in links, in messages and as a flag, and on the page."""
    return dataclasses.field(default=default, metadata={"word": word, "label": label})


@dataclass(frozen=True)
class GenerateRequest:
    """What to generate and how; constructing one checks it.

    The defaults are those of the page, of the endpoint for programs and of the command line.

    Attributes:
        class_name: a class by name or by number, kept as the name; or "all", which cycles through
            them.
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

    class_name: str = _named("class", "Class")
    num_images: int = _named("num_images", "Images", 8)
    schedule: str = _named("schedule", "Schedule", "sigmoid")
    sampler: str = _named("sampler", "Sampler", SAMPLERS[0])
    num_inference_steps: int = _named("steps", "Steps", 10)
    guidance_scale: float = _named("guidance_scale", "Guidance", 1.0)
    guidance_low: float = _named("guidance_low", "Guidance from", 0.0)
    guidance_high: float = _named("guidance_high", "Guidance to", 1.0)
    seed: int = _named("seed", "Seed", 0)
    class_names: tuple[str, ...] = CLASS_NAMES

    def __post_init__(self) -> None:
        name = self.class_name
        if name != ALL_CLASSES:
            name = self.class_names[class_label(name, self.class_names)]
        object.__setattr__(self, "class_name", name)  # 9 and "ANKLE BOOT" are "ankle boot"
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("sampler", self.sampler, (*SAMPLERS, TURBO))
        check_integer("num_images", self.num_images, 1, MAX_IMAGES)
        check_integer("num_inference_steps", self.num_inference_steps, 1, MAX_STEPS)
        check_number("guidance_scale", self.guidance_scale, 1.0, MAX_GUIDANCE)
        if self.sampler == TURBO and self.guidance_scale != 1.0:
            raise RequestError(
                f"is {self.guidance_scale:g}; the {TURBO} sampler has none: it must be 1.",
                "guidance_scale",
            )
        check_number("guidance_low", self.guidance_low, 0.0, 1.0)
        check_number("guidance_high", self.guidance_high, self.guidance_low, 1.0)
        check_integer("seed", self.seed, 0, MAX_SEED - self.num_images + 1)

    def labels(self) -> list[int]:
        """Return one label an image."""
        if self.class_name == ALL_CLASSES:
            return [index % len(self.class_names) for index in range(self.num_images)]
        return [class_label(self.class_name, self.class_names)] * self.num_images

    def seeds(self) -> range:
        """Return one seed an image."""
        return range(self.seed, self.seed + self.num_images)

    def select_image(self, index: int) -> "GenerateRequest":
        """Return the request for one of the images alone; it gives the same image."""
        return dataclasses.replace(
            self,
            class_name=self.class_names[self.labels()[index]],
            num_images=1,
            seed=self.seed + index,
        )

    def as_settings(self) -> dict[str, Any]:
        """Return the request as plain values, for PNG metadata and run files."""
        settings = dataclasses.asdict(self)
        del settings["class_names"]
        return settings


SETTINGS = {
    field.name: field.metadata for field in dataclasses.fields(GenerateRequest) if field.metadata
}
"""Field of a request → its names: all that say which images are made."""

SETTING_NAMES = {"scorer": "scorer"} | {name: names["word"] for name, names in SETTINGS.items()}
"""Field of a request, or the scorer → its word in a link and in a message."""

PAGE_LABELS = {"scorer": "Scorer"} | {name: names["label"] for name, names in SETTINGS.items()}
"""The same → its name on the page."""

API_PARAMETERS = SETTING_NAMES | {"class_name": "class_name"}
"""The same → its name as a parameter of the endpoint for programs, where class is a keyword."""

FLAGS = {name: "--" + word.replace("_", "-") for name, word in SETTING_NAMES.items()}
"""The same → its flag on the command line."""


def default_steps(sampler: str, otherwise: int = GenerateRequest.num_inference_steps) -> int:
    """Return the steps that a sampler takes when nothing is said."""
    return TURBO_STEPS if sampler == TURBO else otherwise


def class_label(class_name: str, class_names: tuple[str, ...] = CLASS_NAMES) -> int:
    """Return the label of a class given by name (in any case) or by number.

    Raises:
        RequestError: there is no such class.
    """
    if not isinstance(class_name, str):
        raise RequestError(
            f"is {_value(class_name)}; it must be the name of a class.", "class_name"
        )
    names, wanted = [normalize_name(name) for name in class_names], normalize_name(class_name)
    if wanted in names:
        return names.index(wanted)
    # Where a class is named by a number, a number is nothing but a name.
    named = any(name.isdigit() for name in names)
    numbers = "" if named else f"a number from 0 to {len(names) - 1}, "
    if numbers and wanted.isascii() and wanted.isdigit() and int(wanted) < len(names):
        return int(wanted)
    raise RequestError(
        f"is {_value(class_name)}; it must be one of {', '.join(class_names)}, {numbers}or "
        f"{ALL_CLASSES}.",
        "class_name",
    )


def _check_choice(setting: str, value: Any, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise RequestError(f"is {_value(value)}; it must be one of {', '.join(choices)}.", setting)


def check_integer(setting: str, value: Any, low: int, high: int, more: str = "") -> None:
    """Raise RequestError when a value is no whole number within bounds, both included.

    Args:
        setting: the field of a request, or another name.
        value: what was given.
        low: the smallest that is allowed.
        high: the largest.
        more: who takes larger ones, if anybody does.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RequestError(
            f"is {_value(value)}; it must be a whole number from {low:,} to {high:,}{more}.",
            setting,
        )


def check_number(setting: str, value: Any, low: float, high: float) -> None:
    """Raise RequestError when a value is no finite number within bounds, both included."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise RequestError(
            f"is {_value(value)}; it must be a number from {low:g} to {high:g}.", setting
        )


def _value(value: Any) -> str:
    """Return a value as a message has it; a cleared field sends none."""
    return "empty" if value is None else safe_repr(value)


def safe_repr(value: Any) -> str:
    """Return a value as it may stand in a message: short, and never as markup."""
    text = repr(value)
    return (text if len(text) <= 40 else text[:40] + "…").translate(_PLAIN)


_PLAIN = str.maketrans("<>&[]`*_", "‹›＆⟦⟧ˋ∗＿")
"""What HTML and Markdown would read, as characters that look alike."""
