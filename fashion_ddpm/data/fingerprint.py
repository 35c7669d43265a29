"""The hashes of a data set's pictures, by which a resumed run recognizes its data."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fashion_ddpm.core.json_files import FileError, read_object, write_object
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.data.listing import Listing, shorten

MAX_NAMES = 3
"""Largest number of pictures that a message names; the rest are counted."""


@dataclass(frozen=True)
class Fingerprint:
    """The content of a data set, independent of its location.

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
        """One sha256 of all pictures."""
        content = [[name, sorted(each.items())] for name, each in self.pictures.items()]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def fingerprint_pictures(listing: Listing, hashes: Mapping[str, str]) -> Fingerprint:
    """Return the fingerprint of the pictures that have a hash: of all but damaged ones."""
    pictures: dict[str, dict[str, str]] = {name: {} for name in listing.class_names}
    for picture in (*listing.train, *listing.test):
        if picture.name in hashes:
            pictures[listing.class_names[picture.label]][picture.name] = hashes[picture.name]
    return Fingerprint(pictures)


def fingerprint_splits(splits: Mapping[str, LabelledImages]) -> Fingerprint:
    """Return the fingerprint of splits without picture names: one hash per class and split."""
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
    """Write a fingerprint to a JSON file."""
    write_object(path, {name: dict(each) for name, each in fingerprint.pictures.items()})


def read_fingerprint(path: Path) -> Fingerprint:
    """Read a fingerprint from a JSON file.

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


def describe_changes(before: Fingerprint, after: Fingerprint) -> Iterator[str]:
    """Yield phrases on changed classes, then on changed pictures of classes in both."""
    renamed = _find_renamed_classes(before, after)
    yield from describe_class_changes(before.class_names, after.class_names, renamed)
    common = [name for name in before.class_names if name in after.pictures]
    old, new = (
        {(key, name): digest for key in common for name, digest in each.pictures[key].items()}
        for each in (before, after)
    )
    for what, pictures in (
        ("added", new.keys() - old.keys()),
        ("gone or no longer readable", old.keys() - new.keys()),
        ("changed", {each for each in old.keys() & new.keys() if old[each] != new[each]}),
    ):
        if pictures:
            yield f"{what}: {shorten(sorted(name for _, name in pictures), MAX_NAMES)}"


def describe_class_changes(
    before: Sequence[str], after: Sequence[str], renamed: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Yield phrases on changed classes.

    Args:
        before: class names in label order.
        after: class names in label order.
        renamed: old name → new name of classes with the same pictures.
    """
    for old, new in renamed.items():
        yield f"class {old} is now called {new}"
    added = [name for name in after if name not in before and name not in renamed.values()]
    removed = [name for name in before if name not in after and name not in renamed]
    for what, names in (("added", added), ("removed", removed)):
        if names:
            yield f"{what}: {'class' if len(names) == 1 else 'classes'} {shorten(names, MAX_NAMES)}"
    if tuple(before) != tuple(after) and sorted(before) == sorted(after):
        yield "the classes are in another order"


def _find_renamed_classes(before: Fingerprint, after: Fingerprint) -> dict[str, str]:
    """Return old name → new name of each class whose pictures are the same."""
    missing = [name for name in before.class_names if name not in after.pictures]
    renamed: dict[str, str] = {}
    for new in after.class_names:
        if new not in before.pictures:
            content = sorted(after.pictures[new].values())
            equal = [old for old in missing if sorted(before.pictures[old].values()) == content]
            renamed |= dict.fromkeys(equal[:1], new)
            missing = [old for old in missing if old not in renamed]
    return renamed
