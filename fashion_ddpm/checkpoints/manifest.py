"""manifest.json: the sha256 of each file of a folder, to detect damaged and swapped files."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.json_files import write_object

MANIFEST = "manifest.json"


def write_manifest(folder: Path) -> None:
    """Write the manifest of a folder, without the files that a nested manifest lists."""
    write_object(folder / MANIFEST, {name: sha256(folder / name) for name in files_to_list(folder)})


def files_to_list(folder: Path) -> list[str]:
    """Return the files of a folder that no nested manifest lists, relative to the folder."""
    excluded = {folder / MANIFEST}
    for path in folder.glob(f"*/**/{MANIFEST}"):
        excluded |= {path, *(path.parent / name for name in read_manifest(path.parent))}
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path not in excluded)
    return [path.relative_to(folder).as_posix() for path in files]


def update_manifest(folder: Path, *names: str) -> None:
    """Update the checksums of some files; the others stay, so that damage to them stays visible.

    Args:
        folder: the manifest's folder; a missing manifest is created.
        names: the files that were just written, relative to the folder.
    """
    checksums = read_manifest(folder) if (folder / MANIFEST).exists() else {}
    checksums |= {name: sha256(folder / name) for name in names}
    write_object(folder / MANIFEST, dict(sorted(checksums.items())))


def read_manifest(folder: Path) -> dict[str, str]:
    """Return the checksum of each file by its path relative to the folder.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a manifest, or names files outside the folder.
    """
    content = json.loads((folder / MANIFEST).read_text())
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        raise ValueError("it must map names of files to checksums")
    for name in content:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ValueError(f"it names {name!r:.60}, which lies outside the folder")
    return content


def find_faults(folder: Path, file: str | None = None) -> Iterator[str]:
    """Yield a phrase about each file that differs from the manifest, beginning with its name.

    Args:
        folder: the manifest's folder.
        file: the only file to check; None for all.
    """
    try:
        listed = read_manifest(folder)
    except (OSError, ValueError, RecursionError) as error:
        yield f"{MANIFEST} is no list of files ({type(error).__name__})"
        return
    if not listed:
        yield f"{MANIFEST} lists no files"
    for name, digest in listed.items():
        if file not in (None, name):
            continue
        try:
            actual = sha256(folder / name) if (folder / name).is_file() else ""
        except OSError as error:
            yield f"{name} cannot be read ({reason(error)})"
            continue
        if not actual:
            yield f"{name} is missing"
        elif actual != digest:
            yield f"{name} is not what {MANIFEST} lists: it was damaged, changed or swapped"


def is_intact(folder: Path) -> bool:
    """Return whether a folder has a manifest and all files match it."""
    return next(find_faults(folder), None) is None


def sha256(path: Path) -> str:
    """Return a file's checksum in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
