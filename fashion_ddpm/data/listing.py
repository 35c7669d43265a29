"""The pictures of a data set before they are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_NAMES = 10
"""Largest number of pictures that a message names; the rest are counted."""


@dataclass(frozen=True)
class Picture:
    """A picture before it is read.

    Attributes:
        name: for messages; unique in the data set.
        label: class label.
        read: returns the content of the file, which may be damaged.
    """

    name: str
    label: int
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Listing:
    """The pictures of a data set, before they are read.

    Attributes:
        class_names: in label order.
        train: the training split.
        test: the test split; if empty, it is split off from train.
        notes: sentences on ignored files.
    """

    class_names: tuple[str, ...]
    train: Sequence[Picture]
    test: Sequence[Picture] = ()
    notes: tuple[str, ...] = ()


def shorten(names: Sequence[str], max_names: int = MAX_NAMES) -> str:
    """Return the first names and the number of the others, for a message."""
    more = f" and {len(names) - max_names:,} more" if len(names) > max_names else ""
    return ", ".join(names[:max_names]) + more
