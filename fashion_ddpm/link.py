"""Settings travel: in a link's query string, and inside every picture; both are checked."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fashion_ddpm.images import read_settings
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.request import GenerateRequest, RequestError

SHORT = {
    "class": "class_name",
    "images": "num_images",
    "schedule": "schedule",
    "sampler": "sampler",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "seed": "seed",
}
"""Word in a link → field of a request."""

MODEL = "model"
"""Word in a link that holds the start of the weights' checksum."""


def to_query(request: GenerateRequest, weights: str) -> str:
    """Returns "?class=…&…": every setting, and which weights drew it."""
    words = {word: getattr(request, field) for word, field in SHORT.items()}
    return "?" + urlencode({**words, MODEL: weights[:12]})


def from_query(
    query: Mapping[str, str], class_names: tuple[str, ...] = CLASS_NAMES
) -> GenerateRequest | None:
    """Returns the request in a link to a checkpoint of such classes, or None when it holds none.

    Raises:
        RequestError: a value is not one that a request may have.
    """
    given = {field: query[word] for word, field in SHORT.items() if word in query}
    if "class_name" not in given:
        return None
    return _checked(given, class_names)


def from_picture(path: Path, class_names: tuple[str, ...] = CLASS_NAMES) -> GenerateRequest:
    """Returns the request that a picture was made with, by a checkpoint of such classes.

    Raises:
        RequestError: the file is no picture of this app's, or holds settings that cannot be.
    """
    try:
        settings = read_settings(path)
    except Exception as error:  # a broken file breaks decoders in ways that nobody has listed
        raise RequestError("The file is not a PNG picture made by this app.") from error
    given = {field: settings[field] for field in SHORT.values() if field in settings}
    if "class_name" not in given:
        raise RequestError("The picture holds no settings; only pictures made by this app do.")
    return _checked(given, class_names)


def _checked(given: Mapping[str, Any], class_names: tuple[str, ...]) -> GenerateRequest:
    """Turns texts into the types that a request's fields have; the request judges the values."""
    kinds = {field.name: field.type for field in dataclasses.fields(GenerateRequest)}
    values = {name: _typed(value, str(kinds[name])) for name, value in given.items()}
    return GenerateRequest(**values, class_names=class_names)


def _typed(value: Any, kind: str) -> Any:
    """Returns a number where the text of one is due; anything else as it is."""
    convert = {"<class 'int'>": int, "<class 'float'>": float}.get(kind)
    if convert is None or not isinstance(value, str) or len(value) > 20:
        return value
    try:
        return convert(value)
    except ValueError:
        return value
