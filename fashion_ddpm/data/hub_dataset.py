"""Labelled pictures read with the package datasets, from the Hub or a local folder."""

import functools
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fashion_ddpm.core.errors import reason
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.listing import Listing, Picture

TRAIN, TEST = "train", "test"


def list_hub_dataset(name: str) -> Listing:
    """List the pictures of a data set in the order of its rows, without running custom code.

    Args:
        name: USER/NAME on the Hub, or a local folder.

    Raises:
        DataError: the package or the data set is missing, or has no labelled pictures.
    """
    if find_spec("datasets") is None:
        raise DataError(
            "--dataset hub: needs the package datasets; run pip install datasets, or use "
            "imagefolder:PATH."
        )
    import datasets

    try:
        splits = datasets.load_dataset(name)
    except Exception as error:  # the package raises many kinds
        raise DataError(
            f"the data set {name} could not be loaded ({reason(error)}): name one on the Hub, or a "
            "local folder, that holds labelled images."
        ) from error
    if TRAIN not in splits:
        raise DataError(f"the data set {name} has no split train; it has {', '.join(splits)}.")
    image, label = _columns(name, splits[TRAIN].features, datasets)
    pictures: dict[str, list[Picture]] = {}
    for split in [name for name in (TRAIN, TEST) if name in splits]:
        rows = splits[split].cast_column(image, datasets.Image(decode=False))
        pictures[split] = _pictures(split, rows, image, label)
    class_names = tuple(splits[TRAIN].features[label].names)
    return Listing(class_names, pictures[TRAIN], pictures.get(TEST, ()))


def _columns(name: str, features: Any, datasets: Any) -> tuple[str, str]:
    """Return the names of the image column and the class label column."""
    types = (datasets.Image, datasets.ClassLabel)
    columns = [[key for key, value in features.items() if isinstance(value, t)] for t in types]
    if [len(names) for names in columns] != [1, 1]:
        raise DataError(
            f"the data set {name} has the columns {', '.join(features)}; it must have one of "
            "images and one of class labels."
        )
    return columns[0][0], columns[1][0]


def _pictures(split: str, rows: Any, image: str, label: str) -> list[Picture]:
    labels = list(rows[label])
    if min(labels, default=0) < 0:
        raise DataError(f"the split {split} has pictures without a label; leave them out.")
    return [
        Picture(f"{split} row {index}", each, functools.partial(_read, rows, image, index))
        for index, each in enumerate(labels)
    ]


def _read(rows: Any, image: str, index: int) -> bytes:
    stored = rows[index][image]
    return bytes(stored["bytes"] or Path(stored["path"]).read_bytes())
