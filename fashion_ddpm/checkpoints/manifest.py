"""manifest.json: the sha256 of a folder's files, by which a damaged or swapped one is known."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.json_files import write_object

MANIFEST = "manifest.json"


def write_manifest(folder: Path) -> None:
    """List every file of a folder as it is now, but those that a manifest further down lists."""
    write_object(folder / MANIFEST, {name: sha256(folder / name) for name in files_to_list(folder)})


def files_to_list(folder: Path) -> list[str]:
    """Return the files of a folder that no manifest further down lists, relative to it."""
    known = {folder / MANIFEST}
    for path in folder.glob(f"*/**/{MANIFEST}"):
        known |= {path, *(path.parent / name for name in read_manifest(path.parent))}
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path not in known)
    return [path.relative_to(folder).as_posix() for path in files]


def update_manifest(folder: Path, *names: str) -> None:
    """List some files anew; what the manifest says of all others stays, so no damage is blessed.

    Args:
        folder: where the manifest lies; it is made where there is none.
        names: the files that were just written, relative to the folder.
    """
    known = read_manifest(folder) if (folder / MANIFEST).exists() else {}
    known |= {name: sha256(folder / name) for name in names}
    write_object(folder / MANIFEST, dict(sorted(known.items())))


def read_manifest(folder: Path) -> dict[str, str]:
    """Return the checksum of each file by its name, relative to the folder.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no manifest, or it names files outside the folder.
    """
    content = json.loads((folder / MANIFEST).read_text())
    if not isinstance(content, dict) or not all(isinstance(at, str) for at in content.values()):
        raise ValueError("it must map names of files to checksums")
    for name in content:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ValueError(f"it names {name!r:.60}, which lies outside the folder")
    return content


def find_faults(folder: Path, only: str | None = None) -> Iterator[str]:
    """Yield what is wrong with a folder's files, a phrase for each that begins with its name.

    Args:
        folder: where the manifest lies.
        only: the one listed file to look at; all when None.
    """
    try:
        listed = read_manifest(folder)
    except (OSError, ValueError, RecursionError) as error:
        yield f"{MANIFEST} is no list of files ({type(error).__name__})"
        return
    if not listed:
        yield f"{MANIFEST} lists no files"
    for name, digest in listed.items():
        if only not in (None, name):
            continue
        try:
            found = sha256(folder / name) if (folder / name).is_file() else ""
        except OSError as error:
            yield f"{name} cannot be read ({reason(error)})"
            continue
        if not found:
            yield f"{name} is missing"
        elif found != digest:
            yield f"{name} is not what {MANIFEST} lists: it was damaged, changed or swapped"


def is_intact(folder: Path) -> bool:
    """Return whether a manifest is there, and every file it lists with its checksum."""
    return next(find_faults(folder), None) is None


def sha256(path: Path) -> str:
    """Return a file's checksum in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
