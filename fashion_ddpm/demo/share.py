"""Settings travel: in a link's query string, and inside every picture; both are checked."""

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
"""Words of links made before these settings were called the same everywhere."""

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
"""What a setting is that a link or a picture does not hold: for ever what it was when links began,
whatever the page's defaults become, so that a link always draws the same images. A new setting
gets the value here under which images are what they were without it."""


@dataclasses.dataclass(frozen=True)
class SharedSettings:
    """All that must be known to make the same images again, and to score them.

    Attributes:
        request: what to generate and how.
        model: the start of the checksum of the weights that drew them; "" where it is not told.
        scorer: who scored them; "" where it is not told.
    """

    request: GenerateRequest
    model: str = ""
    scorer: str = ""

    def to_query(self) -> str:
        """Return "?class=…&…": every setting."""
        words = {SETTING_NAMES[name]: getattr(self.request, name) for name in SETTINGS}
        return "?" + urlencode(words | self.model_and_scorer())

    def model_and_scorer(self) -> dict[str, str]:
        """Return what is known besides the request: model and scorer."""
        known = {MODEL_KEY: self.model, SCORER_KEY: self.scorer}
        return {word: value for word, value in known.items() if value}

    def as_settings(self) -> dict[str, Any]:
        """Return everything as plain values, for PNG metadata and a program's answer."""
        return self.request.as_settings() | self.model_and_scorer()


def parse_query(
    query: Mapping[str, str], class_names: tuple[str, ...] = CLASS_NAMES
) -> SharedSettings | None:
    """Return the settings in a link to a checkpoint of such classes, or None when it holds none.

    Raises:
        RequestError: a value is not one that the page can have, a word is misspelt, or the class
            is missing.
    """
    found = {FIELD_NAMES[word]: value for word, value in query.items() if word in FIELD_NAMES}
    if not found:
        return None
    for word in query.keys() - {*FIELD_NAMES, MODEL_KEY, SCORER_KEY}:
        # Other words are not ours: those of gradio, of the Hub, of whoever passes links on.
        if meant := difflib.get_close_matches(
            word, [*FIELD_NAMES, MODEL_KEY, SCORER_KEY], 1, cutoff=0.75
        ):
            raise RequestError(f"{safe_repr(word)} is no word of a link; it must be {meant[0]}.")
    if "sampler" in found:  # a plus sign that was typed stands for a blank in an address
        found["sampler"] = found["sampler"].replace(" ", "+")
    about = {word: query.get(word, "") for word in (MODEL_KEY, SCORER_KEY)}
    return _build_settings({"class_name": None, **found, **about}, class_names)


def collect_words(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the words and values of an address.

    Raises:
        RequestError: a setting stands there twice.
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
    """Return the settings that a picture was made with, by a checkpoint of such classes.

    Raises:
        RequestError: the file is no picture of this app's, or holds settings that cannot be.
    """
    try:
        settings = read_settings(path)
    except Exception as error:  # a broken file breaks decoders in ways that nobody has listed
        raise RequestError("The file is not a PNG picture made by this app.") from error
    if "class_name" not in settings:
        raise RequestError("The picture holds no settings; only pictures made by this app do.")
    return _build_settings(settings, class_names)


def _build_settings(given: Mapping[str, Any], class_names: tuple[str, ...]) -> SharedSettings:
    """Turn texts into the types that a request's fields have; the request checks the values."""
    types = {field.name: field.type for field in dataclasses.fields(GenerateRequest)}
    known = LINK_DEFAULTS | dict(given)
    values = {name: _convert(known[name], types[name]) for name in SETTINGS}
    check_size(values["num_images"], values["num_inference_steps"])
    request = GenerateRequest(**values, class_names=class_names)
    model, scorer = (str(given.get(word, "")) for word in (MODEL_KEY, SCORER_KEY))
    return SharedSettings(request, model, scorer)


def _convert(value: Any, type_: Any) -> Any:
    """Return a number where the text of one is due; anything else as it is."""
    if type_ not in (int, float) or not isinstance(value, str) or len(value) > 30:
        return value
    try:
        return type_(value)
    except ValueError:
        return value
