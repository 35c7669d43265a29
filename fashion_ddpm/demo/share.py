"""Settings in links and in pictures: written, read and checked."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import read_settings
from fashion_ddpm.core.requests import (
    MODEL_KEY,
    SCORER_KEY,
    SETTING_NAMES,
    SETTINGS,
    GenerateRequest,
    RequestError,
    safe_repr,
)
from fashion_ddpm.server.limits import check_size

OLD_WORDS = {"images": "num_images", "guidance": "guidance_scale"}
"""Words of earlier versions' links."""

FIELD_NAMES = (
    {SETTING_NAMES[name]: name for name in SETTINGS} | {name: name for name in SETTINGS} | OLD_WORDS
)
"""Word of a link → field of a request."""

LINK_DEFAULTS: dict[str, Any] = {
    "num_images": 8,
    "schedule": "cosine",
    "sampler": "dpm++2m",
    "num_inference_steps": 20,
    "guidance_scale": 1.0,
    "guidance_low": 0.0,
    "guidance_high": 1.0,
    "seed": 0,
}
"""Values of settings that a link or a picture omits. They never change, so that a link always draws
the same images; a new setting gets the value that changes no image.

Other defaults differ on purpose: those of GenerateRequest are the page's and the commands' and may
improve; SamplingSettings has that schedule and the steps of evaluations."""


@dataclasses.dataclass(frozen=True)
class SharedSettings:
    """Everything needed to draw and score the same images again.

    Attributes:
        request: what to generate and how.
        model: the start of the checksum of the weights that drew them; "" if unknown.
        scorer: name of the scorer; "" if unknown.
    """

    request: GenerateRequest
    model: str = ""
    scorer: str = ""

    def to_query(self) -> str:
        """Return every setting as a query string: "?class=…&…"."""
        words = {SETTING_NAMES[name]: getattr(self.request, name) for name in SETTINGS}
        return "?" + urlencode(words | self.model_and_scorer())

    def model_and_scorer(self) -> dict[str, str]:
        """Return the model and the scorer, if known."""
        values = {MODEL_KEY: self.model, SCORER_KEY: self.scorer}
        return {word: value for word, value in values.items() if value}

    def as_settings(self) -> dict[str, Any]:
        """Return everything as plain values, for PNG metadata and the endpoint."""
        return self.request.as_settings() | self.model_and_scorer()


def parse_query(
    query: Mapping[str, str], class_names: tuple[str, ...] = CLASS_NAMES
) -> SharedSettings | None:
    """Return the settings in a link's query, or None if it has none.

    Raises:
        RequestError: a value is invalid, a word is misspelt, or the class is missing.
    """
    found = {FIELD_NAMES[word]: value for word, value in query.items() if word in FIELD_NAMES}
    if not found:
        return None
    for word in query.keys() - {*FIELD_NAMES, MODEL_KEY, SCORER_KEY}:
        # Words that are not similar belong to others: to gradio, the Hub, trackers in links.
        if meant := difflib.get_close_matches(
            word, [*FIELD_NAMES, MODEL_KEY, SCORER_KEY], 1, cutoff=0.75
        ):
            raise RequestError(f"{safe_repr(word)} is no word of a link; it must be {meant[0]}.")
    if "sampler" in found:  # in a query an unescaped plus sign is a space
        found["sampler"] = found["sampler"].replace(" ", "+")
    model_and_scorer = {word: query.get(word, "") for word in (MODEL_KEY, SCORER_KEY)}
    return _build_settings({"class_name": None, **found, **model_and_scorer}, class_names)


def collect_words(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a query's words and values as a dict.

    Raises:
        RequestError: a setting is given twice.
    """
    words, seen = {}, set()
    for word, value in pairs:
        field = FIELD_NAMES.get(word, word)
        if field in seen and field in (*SETTINGS, MODEL_KEY, SCORER_KEY):
            raise RequestError(f"{safe_repr(word)} is given again; a link must give it once.")
        seen.add(field)
        words[word] = value
    return words


def parse_picture(path: Path, class_names: tuple[str, ...] = CLASS_NAMES) -> SharedSettings:
    """Return the settings in a picture.

    Raises:
        RequestError: the file is no picture of this app's, or a value is invalid.
    """
    try:
        settings = read_settings(path)
    except Exception as error:  # decoders raise many kinds of errors
        raise RequestError("The file is not a PNG picture made by this app.") from error
    if "class_name" not in settings:
        raise RequestError("The picture holds no settings; only pictures made by this app do.")
    return _build_settings(settings, class_names)


def _build_settings(values: Mapping[str, Any], class_names: tuple[str, ...]) -> SharedSettings:
    """Convert texts to the types of a request's fields; the request checks the values."""
    types = {field.name: field.type for field in dataclasses.fields(GenerateRequest)}
    complete = LINK_DEFAULTS | dict(values)
    fields = {name: _convert(complete[name], types[name]) for name in SETTINGS}
    check_size(fields["num_images"], fields["num_inference_steps"])
    request = GenerateRequest(**fields, class_names=class_names)
    return SharedSettings(request, *(str(values.get(word, "")) for word in (MODEL_KEY, SCORER_KEY)))


def _convert(value: Any, type_: Any) -> Any:
    """Return the text of a number as the number, and anything else unchanged."""
    if type_ not in (int, float) or not isinstance(value, str) or len(value) > 30:
        return value
    try:
        return type_(value)
    except ValueError:
        return value
