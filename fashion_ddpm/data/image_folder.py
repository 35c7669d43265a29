"""Class folders: the pictures in PATH/NAME, and in folders below it, are of the class NAME."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from fashion_ddpm.core.errors import reason
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.listing import Listing, Picture, shorten

SUFFIXES = {
    *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm"),
    *(".tif", ".tiff", ".webp"),
}
"""What counts as a picture; other files are counted and passed over."""

TRAIN, TEST = "train", "test"
BESIDE_TRAIN = {TRAIN, TEST, "dev", "val", "valid", "validation"}
"""Folders that leave train a split; beside any other folder with pictures it is a class."""

MAC_COPIES = "__MACOSX"
"""The folder that zip archives from a Mac have beside the real ones."""

Files = Mapping[PurePath, Sequence[PurePath]]
"""Class folder → the files in it and below it, all relative to the data set's folder."""


def list_image_folder(path: str, class_order: Sequence[str] = ()) -> Listing:
    """List the pictures of a folder, class by class, in the order of their names.

    Args:
        path: a folder with one folder for each class, or with train (and test) of that form.
        class_order: the order of the classes that was recorded before; used where the folder
            holds just these. Without it names are sorted, as numbers if all of them are.

    Raises:
        DataError: there is no such folder, it holds no class folders, or one has no pictures.
    """
    try:
        root = Path(path).expanduser()  # no shell does it behind a colon
        if not root.is_dir():
            raise DataError(
                f"--dataset names {path}, which is no folder; name one with class folders."
            )
        files = sorted(_files(root))
    except (OSError, RuntimeError) as error:  # RuntimeError: ~ of a user who is none
        raise DataError(
            f"--dataset names {path}, which cannot be read ({reason(error)}): make all of its "
            "folders readable, or name another."
        ) from error
    train, test = _splits(root, files)
    class_names = _ordered(_folders(root / train), class_order)
    if not class_names:
        raise DataError(
            f"{root / train} holds no folders; it must hold one for each class, with its pictures."
        )
    tested = _tested(root, train, test, class_names) if test else []
    inside: dict[PurePath, list[PurePath]] = {PurePath(train, name): [] for name in class_names}
    inside |= {PurePath(test, name): [] for name in tested}
    outside: list[PurePath] = []
    for file in files:
        if not _is_hidden(file):
            folder = PurePath(*file.parts[:-1][: 2 if train else 1])
            inside.get(folder, outside).append(file)
    return Listing(
        class_names,
        train=_pictures(root, PurePath(train), class_names, inside),
        test=_pictures(root, PurePath(test), class_names, inside) if tested else (),
        notes=tuple(_notes(train, files, inside, outside)),
    )


def _files(root: Path) -> Iterator[PurePath]:
    """Yield the files below a folder, relative to it; links are followed, never in a circle."""

    def refuse(error: OSError) -> None:
        # Hidden ones may stay unread, such as the waste basket of a disk.
        if not _is_hidden(PurePath(error.filename).relative_to(root)):
            raise error

    for name, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        folder = Path(name)
        above = {parent.resolve() for parent in (folder, *folder.parents)}
        folders[:] = [each for each in folders if (folder / each).resolve() not in above]
        inside = folder.relative_to(root)
        for each in files:
            path = folder / each
            # A link that leads nowhere is counted with the damaged pictures; a pipe would block.
            if path.is_file() or not path.exists():
                yield inside / each


def _folders(parent: Path) -> list[str]:
    """Return the names of the folders in a folder that are not hidden, nor links to one above."""
    folders = [path for path in sorted(parent.iterdir()) if path.is_dir()]
    below = [path for path in folders if not parent.resolve().is_relative_to(path.resolve())]
    return [path.name for path in below if not _is_hidden(PurePath(path.name))]


def _is_hidden(path: PurePath) -> bool:
    return any(part[0] == "." or part == MAC_COPIES for part in path.parts)


def _is_picture(path: PurePath) -> bool:
    return path.suffix.lower() in SUFFIXES


def _splits(root: Path, files: Sequence[PurePath]) -> tuple[str, str]:
    """Return the folders of the two splits; empty names where the root holds the classes.

    Raises:
        DataError: train may be a split or a class.
    """
    names = {name.lower(): name for name in reversed(_folders(root))}
    train = names.get(TRAIN, "")
    shown = [path for path in files if _is_picture(path) and not _is_hidden(path)]
    rivals = {path.parts[0] for path in shown if len(path.parts) > 1}
    rivals = {name for name in rivals if name.lower() not in BESIDE_TRAIN}
    if train and not rivals:
        return train, names.get(TEST, "")
    if train and _folders(root / train) and PurePath(train) not in {path.parent for path in shown}:
        raise DataError(
            f"{root / train} holds folders and no pictures, but {min(rivals)} lies beside it: if "
            f"{train} is a class, put its pictures into it; if it is a split, move {min(rivals)} "
            "away."
        )
    return "", ""


def _ordered(names: list[str], class_order: Sequence[str]) -> tuple[str, ...]:
    if sorted(names) == sorted(class_order):
        return tuple(class_order)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(names)


def _tested(root: Path, train: str, test: str, class_names: Sequence[str]) -> list[str]:
    """Return the classes of the test split.

    Raises:
        DataError: it has one that is not learned.
    """
    found = _folders(root / test)
    for name in found:
        if name not in class_names:
            alike = [each for each in class_names if each.lower() == name.lower()]
            fix = f"rename it to {alike[0]}" if alike else "add it there, or delete it"
            raise DataError(
                f"{root / test} holds a class that {root / train} lacks ({name}): {fix}."
            )
    return found


def _pictures(
    root: Path, split: PurePath, class_names: Sequence[str], inside: Files
) -> list[Picture]:
    """Return the pictures of a split, class by class.

    Raises:
        DataError: a class folder has none.
    """
    listed = []
    for label, name in enumerate(class_names):
        files = inside.get(split / name)
        if files is None:
            continue  # no class of the test split
        pictures = list(filter(_is_picture, files))
        if not pictures:
            instead = f", but {_counted(files)}, which are not read here" if files else ""
            raise DataError(
                f"{root / split / name} holds no pictures ({', '.join(sorted(SUFFIXES))})"
                f"{instead}: add some, or delete the folder."
            )
        listed += [Picture(path.as_posix(), label, (root / path).read_bytes) for path in pictures]
    return listed


def _notes(
    train: str, files: Sequence[PurePath], inside: Files, outside: Sequence[PurePath]
) -> Iterator[str]:
    """Yield a sentence on everything that was passed over, and on folders with two meanings."""
    for folder in inside:
        if not train and folder.name.lower() in (TRAIN, TEST):
            yield f"the folder {folder} is a class here, not a split, as others lie beside it"
    for what, paths in (
        ("hidden pictures", filter(_is_hidden, files)),
        ("pictures in no class folder", outside),
    ):
        if names := [path.as_posix() for path in paths if _is_picture(path)]:
            yield f"{len(names):,} {what} are passed over: {shorten(names)}"
    if others := [path for paths in inside.values() for path in paths if not _is_picture(path)]:
        yield (
            f"{_counted(others)}, which are not read as pictures, are passed over "
            f"({others[0].as_posix()}): if there are pictures among them, make PNG or JPEG files"
        )


def _counted(files: Sequence[PurePath]) -> str:
    """Return how many files there are of each format: "12 files (.heic 10, .txt 2)"."""
    suffixes = Counter(path.suffix.lower() or "no suffix" for path in files)
    kinds = ", ".join(f"{suffix} {count:,}" for suffix, count in suffixes.most_common(5))
    return f"{len(files):,} files ({kinds})"
