"""JSON files that hold an object: read with a clear error, written atomically."""

import json
import os
from pathlib import Path
from typing import Any

from fashion_ddpm.core.errors import UserError, reason

TEMPORARY_SUFFIX = ".writing"
"""Suffix of a file or folder that is being written."""


class FileError(UserError):
    """A file cannot be read or has wrong content."""


def read_object(path: Path, fix: str) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Args:
        path: the file.
        fix: what to do if it is damaged; the end of the message, without a full stop.

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
    """Write a JSON file atomically."""
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    temporary.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(temporary, path)
