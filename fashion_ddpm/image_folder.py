"""Class folders: the pictures in PATH/NAME, and in folders below it, are of the class NAME."""

import functools
from pathlib import Path

from PIL import Image

from fashion_ddpm.data import DataError
from fashion_ddpm.pictures import Listing, Picture

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
"""What counts as a picture; other files may lie beside them."""

TRAIN, TEST = "train", "test"


def list_folder(path: str) -> Listing:
    """Lists the pictures of a folder, in the order of their names.

    Args:
        path: a folder with one folder for each class, or with train (and test) of that form.

    Raises:
        DataError: there is no such folder, it holds no class folders, or one has no pictures.
    """
    root = Path(path).expanduser()  # no shell does it behind a colon
    if not root.is_dir():
        raise DataError(f"--dataset names {path}, which is no folder; name one with class folders.")
    train = root / TRAIN if (root / TRAIN).is_dir() else root
    class_names = tuple(folder.name for folder in _folders(train))
    if not class_names:
        raise DataError(
            f"{train} holds no folders; it must hold one for each class, with its pictures."
        )
    test = root / TEST
    if train == root or not test.is_dir():
        return Listing(class_names, _pictures(root, train, class_names))
    unknown = [folder.name for folder in _folders(test) if folder.name not in class_names]
    if unknown:
        raise DataError(
            f"{test} holds a class that {train} lacks ({unknown[0]}): add it there, or delete it."
        )
    tested = [name for name in class_names if (test / name).is_dir()]
    return Listing(
        class_names,
        _pictures(root, train, class_names),
        _pictures(root, test, tested, class_names),
    )


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.name[0] != ".")


def _pictures(
    root: Path, parent: Path, wanted: tuple[str, ...] | list[str], names: tuple[str, ...] = ()
) -> list[Picture]:
    """Returns the pictures of the wanted class folders; their labels count in all names."""
    found = []
    for name in wanted:
        files = [
            file
            for file in sorted((parent / name).rglob("*"))
            if file.suffix.lower() in SUFFIXES and file.is_file() and file.name[0] != "."
        ]
        if not files:
            raise DataError(
                f"{parent / name} holds no pictures ({', '.join(sorted(SUFFIXES))}): add some, or "
                "delete the folder."
            )
        label = list(names or wanted).index(name)
        found += [
            Picture(str(file.relative_to(root)), label, functools.partial(Image.open, file))
            for file in files
        ]
    return found
