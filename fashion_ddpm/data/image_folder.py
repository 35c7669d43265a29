"""Class folders: the pictures below PATH/NAME are of the class NAME."""

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
"""Suffixes of pictures; other files are ignored and counted."""

TRAIN, TEST = "train", "test"
SPLIT_NAMES = {TRAIN, TEST, "dev", "val", "valid", "validation"}
"""Folders beside which train is a split; beside other folders with pictures it is a class."""

MAC_COPIES = "__MACOSX"
"""A folder of metadata in zip archives from a Mac."""

Files = Mapping[PurePath, Sequence[PurePath]]
"""Class folder → the files below it, relative to the data set's folder."""


def list_image_folder(path: str, class_order: Sequence[str] = ()) -> Listing:
    """List the pictures of a folder by class, sorted by name.

    Args:
        path: a folder with one folder for each class, or with train (and test) of that form.
        class_order: the label order, if the folder holds exactly these classes; otherwise they
            are sorted, as numbers if all are numbers.

    Raises:
        DataError: the folder is missing or has no class folders, or a class has no pictures.
    """
    try:
        root = Path(path).expanduser()  # shells do not expand it after a colon
        if not root.is_dir():
            raise DataError(
                f"--dataset names {path}, which is no folder; name one with class folders."
            )
        files = sorted(_files(root))
    except (OSError, RuntimeError) as error:  # RuntimeError: ~ of an unknown user
        raise DataError(
            f"--dataset names {path}, which cannot be read ({reason(error)}): make all of its "
            "folders readable, or name another."
        ) from error
    train, test = _splits(root, files)
    class_names = _sort(_folders(root / train), class_order)
    if not class_names:
        raise DataError(
            f"{root / train} holds no folders; it must hold one for each class, with its pictures."
        )
    test_classes = _list_test_classes(root, train, test, class_names) if test else []
    by_class: dict[PurePath, list[PurePath]] = {PurePath(train, name): [] for name in class_names}
    by_class |= {PurePath(test, name): [] for name in test_classes}
    outside: list[PurePath] = []
    for file in files:
        if not _is_hidden(file):
            folder = PurePath(*file.parts[:-1][: 2 if train else 1])
            by_class.get(folder, outside).append(file)
    return Listing(
        class_names,
        train=_pictures(root, PurePath(train), class_names, by_class),
        test=_pictures(root, PurePath(test), class_names, by_class) if test_classes else (),
        notes=tuple(_notes(train, files, by_class, outside)),
    )


def _files(root: Path) -> Iterator[PurePath]:
    """Yield the files below a folder, relative to it; follow links, but not cyclic ones."""

    def raise_error(error: OSError) -> None:
        # Hidden folders may be unreadable, such as the trash of a disk.
        if not _is_hidden(PurePath(error.filename).relative_to(root)):
            raise error

    for name, folders, files in os.walk(root, onerror=raise_error, followlinks=True):
        folder = Path(name)
        parents = {parent.resolve() for parent in (folder, *folder.parents)}
        folders[:] = [each for each in folders if (folder / each).resolve() not in parents]
        inside = folder.relative_to(root)
        for file in files:
            path = folder / file
            # A dangling link is counted as a damaged picture; a pipe would block.
            if path.is_file() or not path.exists():
                yield inside / file


def _folders(parent: Path) -> list[str]:
    """Return the sorted names of subfolders, without hidden ones and links to parents."""
    folders = [path for path in sorted(parent.iterdir()) if path.is_dir()]
    children = [path for path in folders if not parent.resolve().is_relative_to(path.resolve())]
    return [path.name for path in children if not _is_hidden(PurePath(path.name))]


def _is_hidden(path: PurePath) -> bool:
    return any(part[0] == "." or part == MAC_COPIES for part in path.parts)


def _is_picture(path: PurePath) -> bool:
    return path.suffix.lower() in SUFFIXES


def _splits(root: Path, files: Sequence[PurePath]) -> tuple[str, str]:
    """Return the names of the train and test folders; empty if the root holds the classes.

    Raises:
        DataError: train could be a split or a class.
    """
    names = {name.lower(): name for name in reversed(_folders(root))}
    train = names.get(TRAIN, "")
    pictures = [path for path in files if _is_picture(path) and not _is_hidden(path)]
    others = {path.parts[0] for path in pictures if len(path.parts) > 1}
    others = {name for name in others if name.lower() not in SPLIT_NAMES}
    if train and not others:
        return train, names.get(TEST, "")
    if train and _folders(root / train) and PurePath(train) not in {p.parent for p in pictures}:
        raise DataError(
            f"{root / train} holds folders and no pictures, but {min(others)} lies beside it: if "
            f"{train} is a class, put its pictures into it; if it is a split, move {min(others)} "
            "away."
        )
    return "", ""


def _sort(names: list[str], class_order: Sequence[str]) -> tuple[str, ...]:
    if sorted(names) == sorted(class_order):
        return tuple(class_order)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(names)


def _list_test_classes(root: Path, train: str, test: str, class_names: Sequence[str]) -> list[str]:
    """Return the classes of the test split.

    Raises:
        DataError: a class is missing in the training split.
    """
    test_classes = _folders(root / test)
    for name in test_classes:
        if name not in class_names:
            similar = [each for each in class_names if each.lower() == name.lower()]
            fix = f"rename it to {similar[0]}" if similar else "add it there, or delete it"
            raise DataError(
                f"{root / test} holds a class that {root / train} lacks ({name}): {fix}."
            )
    return test_classes


def _pictures(
    root: Path, split: PurePath, class_names: Sequence[str], by_class: Files
) -> list[Picture]:
    """Return the pictures of a split by class.

    Raises:
        DataError: a class folder has no pictures.
    """
    pictures = []
    for label, name in enumerate(class_names):
        files = by_class.get(split / name)
        if files is None:
            continue  # the test split may lack classes
        paths = list(filter(_is_picture, files))
        if not paths:
            instead = f", but {_count_formats(files)}, which are not read here" if files else ""
            raise DataError(
                f"{root / split / name} holds no pictures ({', '.join(sorted(SUFFIXES))})"
                f"{instead}: add some, or delete the folder."
            )
        pictures += [Picture(path.as_posix(), label, (root / path).read_bytes) for path in paths]
    return pictures


def _notes(
    train: str, files: Sequence[PurePath], by_class: Files, outside: Sequence[PurePath]
) -> Iterator[str]:
    """Yield sentences on ignored files, and on classes that have the name of a split."""
    for folder in by_class:
        if not train and folder.name.lower() in (TRAIN, TEST):
            yield f"the folder {folder} is a class here, not a split, as others lie beside it"
    for what, paths in (
        ("hidden pictures", filter(_is_hidden, files)),
        ("pictures in no class folder", outside),
    ):
        if names := [path.as_posix() for path in paths if _is_picture(path)]:
            yield f"{len(names):,} {what} are passed over: {shorten(names)}"
    if others := [path for paths in by_class.values() for path in paths if not _is_picture(path)]:
        yield (
            f"{_count_formats(others)}, which are not read as pictures, are passed over "
            f"({others[0].as_posix()}): if there are pictures among them, make PNG or JPEG files"
        )


def _count_formats(files: Sequence[PurePath]) -> str:
    """Return the number of files of each format: "12 files (.heic 10, .txt 2)"."""
    suffixes = Counter(path.suffix.lower() or "no suffix" for path in files)
    kinds = ", ".join(f"{suffix} {count:,}" for suffix, count in suffixes.most_common(5))
    return f"{len(files):,} files ({kinds})"
