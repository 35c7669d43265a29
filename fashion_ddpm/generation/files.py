"""Write generated images: a grid, arrays, a folder of PNG files, or a zip file."""

import csv
import io
import json
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fashion_ddpm.checkpoints.atomic_folders import (
    create_temporary_folder,
    fsync_path,
    report_write_errors,
    temporary_path,
)
from fashion_ddpm.core.images import enlarge, make_grid, save_png
from fashion_ddpm.core.requests import GenerateRequest, RequestError
from fashion_ddpm.diffusion.pipeline import Batch

GRID_SCALE = 4
MIN_COLUMNS, MAX_COLUMNS = 5, 20
"""Numbers of classes for which a grid has a column per class; else it is nearly square."""

METADATA_FILE = "metadata.jsonl"
SCORES_FILE = "scores.csv"

UNSUPPORTED_SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".npy",
    ".pt",
    ".zip",
)
"""An output with such a suffix is a mistake, not the name of a folder."""


def is_one_file(path: Path) -> bool:
    """Return whether the path's suffix means a single file; any other path is a folder."""
    return path.suffix.lower() in (".png", ".npz")


def check_output(path: Path) -> None:
    """Raise RequestError if results cannot be written there."""
    if is_one_file(path):
        if path.is_dir():
            raise RequestError(f"--output is {path}, a folder; name a file or drop {path.suffix}.")
        path.parent.mkdir(parents=True, exist_ok=True)
        return
    if path.suffix.lower() in UNSUPPORTED_SUFFIXES:
        raise RequestError(
            f"--output is {path}; a single file is .png or .npz, and a folder has no such ending."
        )
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RequestError(f"--output {path} exists and is not an empty folder; name a new one.")


def save(
    batches: Iterable[Batch],
    path: Path,
    request: GenerateRequest,
    extra_settings: Mapping[str, str],
) -> None:
    """Write images, by the path's suffix: .png a grid, .npz arrays, else a folder.

    Args:
        batches: finished images.
        path: the file or folder, written atomically.
        request: its settings are written into every file.
        extra_settings: further settings to write, such as the model.

    Raises:
        CheckpointError: the disk is full, or the path is not writable.
    """
    if not is_one_file(path):
        _save_folder(batches, path, request, extra_settings)
        return
    batches, settings = list(batches), {**request.as_settings(), **extra_settings}
    images = torch.cat([batch.images for batch in batches])
    labels = torch.cat([batch.labels for batch in batches])
    seeds = [seed for batch in batches for seed in batch.seeds]
    temporary = temporary_path(path)
    with report_write_errors(path):
        if path.suffix.lower() == ".png":
            classes = len(request.class_names)
            columns = classes if MIN_COLUMNS <= classes <= min(len(images), MAX_COLUMNS) else None
            save_png(make_grid(images, columns, scale=GRID_SCALE), temporary, settings)
        else:
            with open(temporary, "wb") as file:
                np.savez_compressed(
                    file,
                    images=images.numpy(),
                    labels=labels.numpy(),
                    seeds=np.array(seeds, np.int64),
                    settings=np.array(json.dumps(settings)),
                )
        fsync_path(temporary)  # else a power cut could leave an empty file
        os.replace(temporary, path)


def _save_folder(
    batches: Iterable[Batch],
    folder: Path,
    request: GenerateRequest,
    extra_settings: Mapping[str, str],
) -> None:
    temporary = create_temporary_folder(folder)
    images = (image for batch in batches for image in batch.images)
    lines = []
    for entry, picture in _entries(images, request, extra_settings):
        with report_write_errors(folder):
            (temporary / entry["file_name"]).write_bytes(picture)
        lines.append(json.dumps(entry) + "\n")
    with report_write_errors(folder):
        (temporary / METADATA_FILE).write_text("".join(lines))
        if folder.exists():
            folder.rmdir()  # it is empty; not every system replaces it
        os.replace(temporary, folder)


def zip_images(
    images: Tensor,
    request: GenerateRequest,
    extra_settings: Mapping[str, str],
    scores: Sequence[Mapping[str, float]],
) -> bytes:
    """Return a zip file of PNG files, the list that the datasets library reads, and a table.

    Args:
        images: uint8 [B, H, W] or [B, H, W, 3].
        request: the request of the images.
        extra_settings: further settings to write: model and scorer.
        scores: the label scores of each image, prompt → probability; may be empty.
    """
    pictures, entries = {}, []
    for (entry, picture), score in zip(
        _entries(images, request, extra_settings), scores, strict=True
    ):
        pictures[entry["file_name"]] = picture
        entries.append(entry | ({"label_scores": dict(score)} if score else {}))
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    rows = [
        {name: value for name, value in entry.items() if name != "label_scores"} | dict(score)
        for entry, score in zip(entries, scores, strict=True)
    ]
    return zip_files({**pictures, METADATA_FILE: lines, SCORES_FILE: to_csv(rows)})


def zip_files(files: Mapping[str, bytes | str]) -> bytes:
    """Return a zip file of named contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return buffer.getvalue()


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of the same columns as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def file_name(*parts: str, ending: str = ".png") -> str:
    """Return a file name of parts, with special characters replaced."""
    return "_".join(re.sub(r"[^\w.+-]+", "-", part) for part in parts) + ending


def picture_name(request: GenerateRequest) -> str:
    """Return the name of one image's file."""
    return file_name(f"{request.class_name}-{request.seed:010d}")


def _entries(
    images: Iterable[Tensor], request: GenerateRequest, extra_settings: Mapping[str, str]
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield each image's metadata entry, and its PNG file with the same settings."""
    for index, image in enumerate(images):
        image_request = request.select_image(index)
        settings, picture = {**image_request.as_settings(), **extra_settings}, io.BytesIO()
        save_png(enlarge(image, 1), picture, settings)
        entry = {
            "file_name": picture_name(image_request),
            "label": image_request.labels()[0],
            **settings,
        }
        yield entry, picture.getvalue()
