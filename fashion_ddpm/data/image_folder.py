"""Class folders: the pictures in PATH/NAME, and in folders below it, are of the class NAME."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from fashion_ddpm.core.errors import reason
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.listing import Listing, Picture, shortened

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

Parts = tuple[str, ...]
"""A path inside the data set's folder."""


def list_folder(path: str, class_order: Sequence[str] = ()) -> Listing:
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
        tree = Tree(root)
    except (OSError, RuntimeError) as error:  # RuntimeError: ~ of a user who is none
        raise DataError(
            f"--dataset names {path}, which cannot be read ({reason(error)}): make all of its "
            "folders readable, or name another."
        ) from error
    train = _split_folder(tree)
    class_names = _ordered(tree.folders_in(train), class_order)
    if not class_names:
        raise DataError(
            f"{root.joinpath(*train)} holds no folders; it must hold one for each class, with its "
            "pictures."
        )
    test = next(((name,) for name in tree.folders_in(()) if name.lower() == TEST), ())
    learned = _pictures(tree, train, class_names, class_names)
    tested = (
        _pictures(tree, test, _tested(tree, train, test, class_names), class_names) if train else []
    )
    return Listing(class_names, learned, tested, tuple(_notes(tree, train, test)))


class Tree:
    """What lies in a data set's folder; symbolic links are followed, but never in a circle.

    Attributes:
        root: the folder.
        folders: those that are not hidden.
        pictures: the picture files outside hidden folders, in the order of their names.
        hidden: the picture files that are hidden, or in hidden folders.
        others: all other files that are not hidden.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folders: list[Parts] = []
        self.pictures: list[Parts] = []
        self.hidden: list[Parts] = []
        self.others: list[Parts] = []
        for parts, is_folder in _walk(root, (), (os.path.realpath(root),)):
            is_picture = not is_folder and PurePath(parts[-1]).suffix.lower() in SUFFIXES
            if _is_hidden(parts):
                if is_picture:
                    self.hidden.append(parts)
            elif is_folder:
                self.folders.append(parts)
            else:
                (self.pictures if is_picture else self.others).append(parts)
        self._by_class: dict[Parts, list[Parts]] = defaultdict(list)
        for parts in self.pictures:
            for depth in (1, 2):
                if len(parts) > depth:
                    self._by_class[parts[:depth]].append(parts)

    def folders_in(self, parent: Parts) -> list[str]:
        """Return the names of the folders in a folder."""
        return [parts[-1] for parts in self.folders if parts[:-1] == parent]

    def pictures_of(self, folder: Parts) -> list[Parts]:
        """Return the pictures of a class folder.

        Raises:
            DataError: there are none.
        """
        if found := self._by_class[folder]:
            return found
        others = [parts for parts in self.others if parts[: len(folder)] == folder]
        instead = f", but {_counted(others)}, which are not read here" if others else ""
        raise DataError(
            f"{self.root.joinpath(*folder)} holds no pictures ({', '.join(sorted(SUFFIXES))})"
            f"{instead}: add some, or delete the folder."
        )


def _is_hidden(parts: Parts) -> bool:
    return any(part[0] == "." or part == MAC_COPIES for part in parts)


def _walk(folder: Path, parts: Parts, above: tuple[str, ...]) -> Iterator[tuple[Parts, bool]]:
    """Yield what lies below a folder, in the order of its names, and whether it is a folder."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        if not _is_hidden(parts):
            raise
        entries = []  # such as the waste basket of a disk
    for entry in entries:
        below = (*parts, entry.name)
        if entry.is_dir():
            real = os.path.realpath(entry)
            if real not in above:
                yield below, True
                yield from _walk(Path(entry), below, (*above, real))
        # A link that leads nowhere is counted with the damaged pictures; a pipe would block.
        elif entry.is_file() or not Path(entry).exists():
            yield below, False


def _split_folder(tree: Tree) -> Parts:
    """Return the folder that holds the class folders: train where it is a split, or the root.

    Raises:
        DataError: train may be either.
    """
    train = next((name for name in tree.folders_in(()) if name.lower() == TRAIN), "")
    rivals = {parts[0] for parts in tree.pictures if len(parts) > 1}
    rivals = {name for name in rivals if name.lower() not in BESIDE_TRAIN}
    if not train or not rivals:
        return (train,) if train else ()
    holds_pictures = any(parts[0] == train and len(parts) == 2 for parts in tree.pictures)
    if tree.folders_in((train,)) and not holds_pictures:
        raise DataError(
            f"{tree.root / train} holds folders and no pictures, but {min(rivals)} lies beside it: "
            f"if {train} is a class, put its pictures into it; if it is a split, move "
            f"{min(rivals)} away."
        )
    return ()


def _ordered(names: list[str], class_order: Sequence[str]) -> Parts:
    if sorted(names) == sorted(class_order):
        return tuple(class_order)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def _pictures(tree: Tree, split: Parts, names: Sequence[str], class_names: Parts) -> list[Picture]:
    """Return the pictures of some classes of a split; their labels count in all class names."""
    found = []
    for name in names:
        label = class_names.index(name)
        found += [
            Picture("/".join(parts), label, tree.root.joinpath(*parts).read_bytes)
            for parts in tree.pictures_of((*split, name))
        ]
    return found


def _tested(tree: Tree, train: Parts, test: Parts, class_names: Parts) -> Sequence[str]:
    """Return the classes of the test split, none where there is no such folder.

    Raises:
        DataError: it has one that is not learned.
    """
    found = tree.folders_in(test) if test else []
    for name in found:
        if name not in class_names:
            alike = [each for each in class_names if each.lower() == name.lower()]
            fix = f"rename it to {alike[0]}" if alike else "add it there, or delete it"
            raise DataError(
                f"{tree.root.joinpath(*test)} holds a class that {tree.root.joinpath(*train)} "
                f"lacks ({name}): {fix}."
            )
    return [name for name in class_names if name in found]


def _notes(tree: Tree, train: Parts, test: Parts) -> Iterator[str]:
    """Yield a sentence on everything that was passed over, and on folders with two meanings."""
    splits = (train, test) if train else ((),)
    if not train:
        for name in tree.folders_in(()):
            if name.lower() in (TRAIN, TEST):
                yield f"the folder {name} is a class here, not a split, as others lie beside it"
    if tree.hidden:
        names = ["/".join(parts) for parts in tree.hidden]
        yield f"{len(names):,} hidden pictures are passed over: {shortened(names)}"
    inside = {(*split, name) for split in splits for name in tree.folders_in(split)}
    depth = len(train) + 1
    outside = [
        "/".join(parts)
        for parts in tree.pictures
        if len(parts) <= depth or parts[:depth] not in inside
    ]
    if outside:
        yield f"{len(outside):,} pictures in no class folder are passed over: {shortened(outside)}"
    others = [parts for parts in tree.others if parts[:depth] in inside]
    if others:
        yield (
            f"{_counted(others)}, which are not read as pictures, are passed over "
            f"({'/'.join(others[0])}): if there are pictures among them, make PNG or JPEG files"
        )


def _counted(files: list[Parts]) -> str:
    """Return how many files there are of each format: "12 files (.heic 10, .txt 2)"."""
    suffixes = Counter(PurePath(parts[-1]).suffix.lower() or "no suffix" for parts in files)
    kinds = ", ".join(f"{suffix} {count:,}" for suffix, count in suffixes.most_common(5))
    return f"{len(files):,} files ({kinds})"
