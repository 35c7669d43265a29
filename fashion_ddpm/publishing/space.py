"""Check a Space's front matter, pinned requirements and files before the upload."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fashion_ddpm.diffusion.save_checkpoint import MAX_FILE_BYTES
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.space_card import read_front_matter

README, REQUIREMENTS = "README.md", "requirements.txt"

# fmt: off
FRONT_MATTER_KEYS = frozenset((
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file",
    "app_port", "base_path", "fullWidth", "header", "short_description", "models", "datasets",
    "tags", "thumbnail", "license", "pinned", "suggested_hardware", "suggested_storage",
    "hf_oauth", "hf_oauth_scopes", "hf_oauth_expiration_minutes", "hf_oauth_authorized_org",
    "disable_embedding", "startup_duration_timeout", "custom_headers", "preload_from_hub",
    "duplicated_from",
))
# fmt: on
"""Allowed keys of a Space's front matter (Spaces configuration reference)."""

NEEDED_KEYS = ("title", "emoji", "colorFrom", "colorTo", "app_file", "license", "short_description")
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
MAX_DESCRIPTION_LENGTH = 60
PYTHON_MINOR = 11
"""The pinned libraries need Python 3.11."""

PIN_PATTERN = re.compile(r"([\w.-]+)==([\w.]+)")


def check_space(folder: Path) -> None:
    """Check a Space's folder.

    Args:
        folder: the Space's files.

    Raises:
        PublishingError: the message lists all faults.
    """
    matter = read_front_matter((folder / README).read_text())
    lines = (folder / REQUIREMENTS).read_text().split("\n")
    requirements = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    faults = [
        *_find_metadata_faults(matter),
        *_find_runtime_faults(matter, requirements),
        *_find_app_faults(matter, folder),
        *(
            f"{REQUIREMENTS} asks for {line}, but must pin one version with =="
            for line in requirements
            if not PIN_PATTERN.fullmatch(line)
        ),
        *_find_large_files(folder),
    ]
    if faults:
        raise PublishingError(f"A Space would refuse {folder}: {'; '.join(faults)}.")


def check_static_space(folder: Path) -> None:
    """Check the folder of a Space whose page needs no server.

    Args:
        folder: the Space's files.

    Raises:
        PublishingError: the message lists all faults.
    """
    matter = read_front_matter((folder / README).read_text())
    faults = [
        *_find_metadata_faults(matter),
        *([] if matter.get("sdk") == "static" else ["sdk must be static"]),
        *_find_app_faults(matter, folder),
        *_find_large_files(folder),
    ]
    if faults:
        raise PublishingError(f"A Space would refuse {folder}: {'; '.join(faults)}.")


def _find_metadata_faults(matter: dict[str, Any]) -> Iterator[str]:
    for key in sorted(matter.keys() - FRONT_MATTER_KEYS):
        yield f"{key} is no key of a Space's front matter"
    for key in NEEDED_KEYS:
        if not matter.get(key):
            yield f"{key} is missing"
    for key in ("colorFrom", "colorTo"):
        if matter.get(key) and matter[key] not in COLOURS:
            yield f"{key} is {matter[key]}, but must be one of {', '.join(COLOURS)}"
    length = len(str(matter.get("short_description", "")))
    if length > MAX_DESCRIPTION_LENGTH:
        yield f"short_description has {length} characters, but at most {MAX_DESCRIPTION_LENGTH} fit"


def _find_runtime_faults(matter: dict[str, Any], pins: list[str]) -> Iterator[str]:
    if matter.get("sdk") != "gradio":
        yield f"sdk is {matter.get('sdk')}, but must be gradio"
    if f"gradio=={matter.get('sdk_version')}" not in pins:
        yield f"sdk_version is {matter.get('sdk_version')}, but {REQUIREMENTS} pins another gradio"
    python = matter.get("python_version")
    found = re.fullmatch(r"3\.(\d+)(\.\d+)?", python) if isinstance(python, str) else None
    if found is None or int(found[1]) < PYTHON_MINOR:
        yield f'python_version is {python!r}, but must be "3.{PYTHON_MINOR}" or newer, in quotes'


def _find_app_faults(matter: dict[str, Any], folder: Path) -> Iterator[str]:
    if matter.get("app_file") and not (folder / str(matter["app_file"])).is_file():
        yield f"app_file is {matter['app_file']}, which is not there"


def _find_large_files(folder: Path) -> Iterator[str]:
    for path in sorted(filter(Path.is_file, folder.rglob("*"))):
        if path.stat().st_size > MAX_FILE_BYTES:
            yield (
                f"{path.relative_to(folder)} has {path.stat().st_size:,} bytes, but at most "
                f"{MAX_FILE_BYTES:,} are allowed"
            )
