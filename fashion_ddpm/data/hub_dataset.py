"""Labelled pictures by way of the library datasets, from the Hub or from a local folder."""

import functools
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fashion_ddpm.core.errors import reason
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.listing import Listing, Picture

TRAIN, TEST = "train", "test"


def list_hub_dataset(name: str) -> Listing:
    """List the pictures of a data set in the order of its rows; no code of its own is run.

    Args:
        name: USER/NAME on the Hub, or a local folder that the library understands.

    Raises:
        DataError: the library is missing, or the data set is, or it has no labelled pictures.
    """
    if find_spec("datasets") is None:
        raise DataError(
            "--dataset hub: needs the package datasets; run pip install datasets, or use "
            "imagefolder:PATH."
        )
    import datasets

    try:
        splits = datasets.load_dataset(name)
    except Exception as error:  # the library has an error for everything
        raise DataError(
            f"the data set {name} could not be loaded ({reason(error)}): name one on the Hub, or a "
            "local folder, that holds labelled images."
        ) from error
    if TRAIN not in splits:
        raise DataError(f"the data set {name} has no split train; it has {', '.join(splits)}.")
    image, label = _columns(name, splits[TRAIN].features, datasets)
    parts = {
        part: splits[part].cast_column(image, datasets.Image(decode=False))
        for part in (TRAIN, TEST)
        if part in splits
    }
    class_names = tuple(splits[TRAIN].features[label].names)
    listed = {part: _pictures(part, rows, image, label) for part, rows in parts.items()}
    return Listing(class_names, listed[TRAIN], listed.get(TEST, ()))


def _columns(name: str, features: Any, datasets: Any) -> tuple[str, str]:
    """Return the names of the one column of images and of the one of class labels."""
    kinds = (datasets.Image, datasets.ClassLabel)
    found = [[key for key, kind in features.items() if isinstance(kind, each)] for each in kinds]
    if [len(names) for names in found] != [1, 1]:
        raise DataError(
            f"the data set {name} has the columns {', '.join(features)}; it must have one of "
            "images and one of class labels."
        )
    return found[0][0], found[1][0]


def _pictures(part: str, rows: Any, image: str, label: str) -> list[Picture]:
    labels = list(rows[label])
    if min(labels, default=0) < 0:
        raise DataError(f"the split {part} has pictures without a label; leave them out.")
    return [
        Picture(f"{part} row {index}", each, functools.partial(_content, rows, image, index))
        for index, each in enumerate(labels)
    ]


def _content(rows: Any, image: str, index: int) -> bytes:
    stored = rows[index][image]
    return bytes(stored["bytes"] or Path(stored["path"]).read_bytes())
