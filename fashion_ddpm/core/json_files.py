"""JSON files in users' folders: read as an object or refused in one sentence, written whole."""

import json
import os
from pathlib import Path
from typing import Any

from fashion_ddpm.core.errors import UserError, reason

TEMPORARY_SUFFIX = ".writing"
"""What the name of a file or folder ends with while it is being written."""


class FileError(UserError):
    """A file does not hold what it must; the message is one sentence with the fix."""


def read_object(path: Path, fix: str) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Args:
        path: the file.
        fix: what to do where it is damaged; the end of the sentence, without its full stop.

    Raises:
        FileError: it cannot be read, is not JSON, or holds a list, a number or a text.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"{path} cannot be read ({reason(error)}): {fix}.") from error
    if not isinstance(content, dict):
        raise FileError(f"{path} must hold an object, not a {type(content).__name__}: {fix}.")
    return content


def write_object(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file; a kill leaves the older one, never a half."""
    half = path.with_name(path.name + TEMPORARY_SUFFIX)
    half.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(half, path)
