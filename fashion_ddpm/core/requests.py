"""The typed, checked request that the page, the API and the command line share."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fashion_ddpm.core.config import SAMPLERS, SCHEDULES, TURBO, TURBO_SCHEDULE, TURBO_STEPS
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import ALL_CLASSES, CLASS_NAMES, normalize_name
from fashion_ddpm.core.settings import flag_name

MAX_STEPS = 1000
MAX_GUIDANCE = 10.0
MAX_SEED = 2**32 - 1
MAX_IMAGES = 10_000_000

EVALUATION_STEPS = 20
"""Default number of steps of evaluations, that of the preset Best."""

MODEL_KEY, SCORER_KEY = "model", "scorer"
"""Link parameters beside the settings: the start of the weights' checksum, and the scorer."""


class RequestError(UserError):
    """A request that cannot be served.

    Args:
        sentence: the message; if a setting is given, without its name at the start.
        setting: the wrong field of the request, or "".
    """

    def __init__(self, sentence: str, setting: str = "") -> None:
        self.sentence, self.setting = sentence, setting
        super().__init__(self.format_message(SETTING_NAMES))

    def format_message(self, names: Mapping[str, str]) -> str:
        """Return the message with the setting's name from these names."""
        return f"{names.get(self.setting, self.setting)} {self.sentence}".lstrip()


def _request_field(name: str, label: str, default: Any = dataclasses.MISSING) -> Any:
    """Return a field with its name in links, messages and flags, and its label on the page."""
    return dataclasses.field(default=default, metadata={"name": name, "label": label})


@dataclass(frozen=True)
class GenerateRequest:
    """What to generate and how, checked on construction; page, API and commands share the defaults.

    Attributes:
        class_name: a class by name or number, stored as the name; "all" cycles through them.
        num_images: at least 1.
        schedule: one of SCHEDULES.
        sampler: one of SAMPLERS, or turbo.
        num_inference_steps: UNet evaluations per image, 1 … 1000.
        guidance_scale: 1.0 (off) … 10.
        guidance_low, guidance_high: interval of timesteps with guidance, as shares of T.
        seed: seed of the first image; image i has seed + i.
        class_names: the classes of the checkpoint; not one of the settings.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    class_name: str = _request_field("class", "Class")
    num_images: int = _request_field("num_images", "Number of images", 8)
    schedule: str = _request_field("schedule", "Noise schedule", "karras")
    sampler: str = _request_field("sampler", "Sampler", SAMPLERS[0])
    num_inference_steps: int = _request_field("steps", "Steps", 10)
    guidance_scale: float = _request_field("guidance_scale", "Guidance", 1.0)
    guidance_low: float = _request_field("guidance_low", "Guidance from", 0.0)
    guidance_high: float = _request_field("guidance_high", "Guidance to", 1.0)
    seed: int = _request_field("seed", "Seed", 0)
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
        """Return the label of each image."""
        if self.class_name == ALL_CLASSES:
            return [index % len(self.class_names) for index in range(self.num_images)]
        return [class_label(self.class_name, self.class_names)] * self.num_images

    def seeds(self) -> range:
        """Return the seed of each image."""
        return range(self.seed, self.seed + self.num_images)

    def select_image(self, index: int) -> "GenerateRequest":
        """Return a request for one of the images."""
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
"""Field of a request → its name and label; without class_names."""

SETTING_NAMES = {"scorer": "scorer"} | {name: names["name"] for name, names in SETTINGS.items()}
"""Field of a request, or scorer → its name in links and messages."""

PAGE_LABELS = {"scorer": "Scorer"} | {name: names["label"] for name, names in SETTINGS.items()}
"""Field of a request, or scorer → its label on the page."""

API_PARAMETERS = SETTING_NAMES | {"class_name": "class_name"}
"""Field of a request, or scorer → its API parameter (class is a Python keyword)."""

FLAGS = {field: flag_name(name) for field, name in SETTING_NAMES.items()}
"""Field of a request, or scorer → its flag on the command line."""


def sampler_defaults(
    sampler: str, steps: int = GenerateRequest.num_inference_steps
) -> dict[str, Any]:
    """Return a sampler's default schedule and steps; the given steps are for all but turbo."""
    if sampler == TURBO:
        return {"schedule": TURBO_SCHEDULE, "num_inference_steps": TURBO_STEPS}
    return {"schedule": GenerateRequest.schedule, "num_inference_steps": steps}


def class_label(class_name: str, class_names: tuple[str, ...] = CLASS_NAMES) -> int:
    """Return the label of a class given by name (in any case) or by number.

    Raises:
        RequestError: there is no such class.
    """
    if not isinstance(class_name, str):
        raise RequestError(
            f"is {_quote(class_name)}; it must be the name of a class.", "class_name"
        )
    names, name = list(map(normalize_name, class_names)), normalize_name(class_name)
    if name in names:
        return names.index(name)
    # If a class name is a number, numbers are not labels.
    numbers = "" if any(map(str.isdigit, names)) else f"a number from 0 to {len(names) - 1}, "
    if numbers and name.isascii() and name.isdigit() and int(name) < len(names):
        return int(name)
    raise RequestError(
        f"is {_quote(class_name)}; it must be one of {', '.join(class_names)}, {numbers}or "
        f"{ALL_CLASSES}.",
        "class_name",
    )


def _check_choice(setting: str, value: Any, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise RequestError(f"is {_quote(value)}; it must be one of {', '.join(choices)}.", setting)


def check_integer(setting: str, value: Any, low: int, high: int, hint: str = "") -> None:
    """Raise RequestError if a value is not an integer between two bounds, inclusive.

    Args:
        setting: the field of a request, or another name.
        value: the value.
        low: the smallest allowed value.
        high: the largest allowed value.
        hint: appended to the message: where larger values are allowed.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RequestError(
            f"is {_quote(value)}; it must be a whole number from {low:,} to {high:,}{hint}.",
            setting,
        )


def check_number(setting: str, value: Any, low: float, high: float) -> None:
    """Raise RequestError if a value is not a finite number between two bounds, inclusive."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        raise RequestError(
            f"is {_quote(value)}; it must be a number from {low:g} to {high:g}.", setting
        )


def _quote(value: Any) -> str:
    """Return a value for a message; a cleared field of the page sends None."""
    return "empty" if value is None else safe_repr(value)


def safe_repr(value: Any) -> str:
    """Return a short repr without HTML or Markdown, for messages."""
    text = repr(value)
    return (text if len(text) <= 40 else text[:40] + "…").translate(_NO_MARKUP)


_NO_MARKUP = str.maketrans("<>&[]`*_", "‹›＆⟦⟧ˋ∗＿")
"""Characters of HTML and Markdown → characters that look similar."""
