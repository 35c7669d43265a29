"""What a data set holds, picture by picture: by this a run knows its own data again."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashion_ddpm.core.json_files import FileError, read_object, write_object
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.data.listing import Listing, shorten

MAX_NAMES = 3
"""Pictures of each sort that a sentence names; the rest are counted."""


@dataclass(frozen=True)
class Fingerprint:
    """The content of a data set, wherever it lies.

    Attributes:
        pictures: class name → name of a picture → sha256 of its file; classes in label order.
    """

    pictures: Mapping[str, Mapping[str, str]]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in label order."""
        return tuple(self.pictures)

    @property
    def digest(self) -> str:
        """One sha256 of everything: equal for equal data sets."""
        content = [[name, sorted(each.items())] for name, each in self.pictures.items()]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def fingerprint_pictures(listing: Listing, hashes: Mapping[str, str]) -> Fingerprint:
    """Return the fingerprint of pictures that were read; damaged ones are not part of it."""
    pictures: dict[str, dict[str, str]] = {name: {} for name in listing.class_names}
    for picture in (*listing.train, *listing.test):
        if picture.name in hashes:
            pictures[listing.class_names[picture.label]][picture.name] = hashes[picture.name]
    return Fingerprint(pictures)


def fingerprint_splits(splits: Mapping[str, LabelledImages]) -> Fingerprint:
    """Return the fingerprint of splits that came without names: one entry a split and class."""
    names = next(iter(splits.values())).kind.class_names
    return Fingerprint(
        {
            name: {
                f"the {split} images of {name}": hashlib.sha256(
                    images.select_class(label).numpy().tobytes()
                ).hexdigest()
                for split, images in splits.items()
            }
            for label, name in enumerate(names)
        }
    )


def write_fingerprint(path: Path, fingerprint: Fingerprint) -> None:
    """Write the file of a fingerprint, a line for each picture."""
    write_object(path, {name: dict(each) for name, each in fingerprint.pictures.items()})


def read_fingerprint(path: Path) -> Fingerprint:
    """Read the file of a fingerprint.

    Raises:
        FileError: it is damaged.
    """
    fix = "restore it, or delete it if you are sure that the pictures have not changed"
    content = read_object(path, fix)
    if not _is_fingerprint(content):
        raise FileError(f"{path} is no list of a data set's pictures: {fix}.")
    return Fingerprint(content)


def _is_fingerprint(content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(pictures, dict) and all(isinstance(each, str) for each in pictures.values())
        for pictures in content.values()
    )


def describe_changes(before: Fingerprint, now: Fingerprint) -> Iterator[str]:
    """Yield phrases on what has changed: classes first, then pictures; nothing for equal ones."""
    yield from describe_class_changes(before.class_names, now.class_names, _renamed(before, now))
    common = [name for name in before.class_names if name in now.pictures]
    # Of a class that came or went, the pictures need no mention.
    old, new = (
        {(key, name): digest for key in common for name, digest in each.pictures[key].items()}
        for each in (before, now)
    )
    for what, pictures in (
        ("added", new.keys() - old.keys()),
        ("gone or no longer readable", old.keys() - new.keys()),
        ("changed", {each for each in old.keys() & new.keys() if old[each] != new[each]}),
    ):
        if pictures:
            yield f"{what}: {shorten(sorted(name for _, name in pictures), MAX_NAMES)}"


def describe_class_changes(
    before: Sequence[str], now: Sequence[str], renamed: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield phrases on what has become of the classes.

    Args:
        before: class names in label order.
        now: the same of today.
        renamed: old → new name of those that hold the same pictures as before.
    """
    renamed = renamed or {}
    for old, new in renamed.items():
        yield f"class {old} is now called {new}"
    added = [name for name in now if name not in before and name not in renamed.values()]
    removed = [name for name in before if name not in now and name not in renamed]
    for what, names in (("added", added), ("removed", removed)):
        if names:
            yield f"{what}: {'class' if len(names) == 1 else 'classes'} {shorten(names, MAX_NAMES)}"
    if tuple(before) != tuple(now) and sorted(before) == sorted(now):
        yield "the classes are in another order"


def _renamed(before: Fingerprint, now: Fingerprint) -> dict[str, str]:
    """Return the old and the new name of each class whose pictures have stayed the same."""
    gone = [name for name in before.class_names if name not in now.pictures]
    found: dict[str, str] = {}
    for new in now.class_names:
        if new not in before.pictures:
            content = sorted(now.pictures[new].values())
            alike = [old for old in gone if sorted(before.pictures[old].values()) == content]
            found |= dict.fromkeys(alike[:1], new)
            gone = [old for old in gone if old not in found]
    return found
