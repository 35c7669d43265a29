"""The pictures of a data set before they are read: names, classes, and where their files are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_NAMES = 10
"""Pictures of one sort that a message names; the rest are counted."""


@dataclass(frozen=True)
class Picture:
    """A picture that is still in its file.

    Attributes:
        name: what messages call it; no two pictures of a data set have the same.
        label: index of its class.
        read: returns the content of its file, which may turn out to be damaged.
    """

    name: str
    label: int
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Listing:
    """The pictures of a data set, before they are read.

    Attributes:
        class_names: in label order.
        train: pictures to learn from.
        test: pictures to evaluate with; none where they are to be split off.
        notes: sentences on what was passed over.
    """

    class_names: tuple[str, ...]
    train: Sequence[Picture]
    test: Sequence[Picture] = ()
    notes: tuple[str, ...] = ()


def shorten(names: Sequence[str], most: int = MAX_NAMES) -> str:
    """Return the first of some names, and how many more there are, for a message."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
