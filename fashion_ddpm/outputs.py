"""Generated images go to disk: a grid, an archive, or a folder of PNG files."""

import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fashion_ddpm.images import enlarge, grid, save_png
from fashion_ddpm.pipeline import Batch
from fashion_ddpm.request import GenerateRequest, RequestError

GRID_SCALE = 4
MIN_COLUMNS, MAX_COLUMNS = 5, 20
"""How many classes get a column each in a grid; with fewer or more it is nearly square."""

METADATA_FILE = "metadata.jsonl"


def is_one_file(path: Path) -> bool:
    """Whether the path's ending asks for a single file; any other path is a folder."""
    return path.suffix in (".png", ".npz")


def check_output(path: Path) -> None:
    """Raises RequestError before any work is done, when the results could not be written."""
    if is_one_file(path):
        if path.is_dir():
            raise RequestError(f"output is {path}, a folder; name a file or drop {path.suffix}.")
        path.parent.mkdir(parents=True, exist_ok=True)
        return
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RequestError(f"output {path} exists and is not an empty folder; name a new one.")


def save(batches: Iterable[Batch], path: Path, request: GenerateRequest) -> None:
    """Writes images as the path's ending says: .png a grid, .npz arrays, else a folder.

    Args:
        batches: finished images.
        path: the file or folder; files are replaced whole, never half-written.
        request: what was asked for; it goes into the PNG metadata.
    """
    if not is_one_file(path):
        _save_folder(batches, path, request)
        return
    everything = list(batches)
    images = torch.cat([batch.images for batch in everything])
    temporary = path.with_name("." + path.name)
    if path.suffix == ".png":
        classes = len(request.class_names)
        columns = classes if MIN_COLUMNS <= classes <= min(len(images), MAX_COLUMNS) else None
        save_png(grid(images, columns, scale=GRID_SCALE), temporary, request.as_settings())
    else:
        with open(temporary, "wb") as file:
            np.savez_compressed(
                file,
                images=images.numpy(),
                labels=torch.cat([batch.labels for batch in everything]).numpy(),
                seeds=np.array([seed for batch in everything for seed in batch.seeds], np.int64),
            )
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the name without its content
    os.replace(temporary, path)


def _save_folder(batches: Iterable[Batch], folder: Path, request: GenerateRequest) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    images = (image for batch in batches for image in batch.images)
    with open(folder / METADATA_FILE, "w") as metadata:
        for entry, picture in _entries(images, request):
            (folder / entry["file_name"]).write_bytes(picture)
            metadata.write(json.dumps(entry) + "\n")


def zipped(images: Tensor, request: GenerateRequest, notes: Sequence[dict[str, Any]]) -> bytes:
    """Returns a zip file of PNG files and the list that the datasets library reads.

    Args:
        images: uint8 [B, H, W] or [B, H, W, 3].
        request: what was asked for.
        notes: what else is known of each image, such as its scores.
    """
    lines, buffer = [], io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for (entry, picture), note in zip(_entries(images, request), notes, strict=True):
            archive.writestr(entry["file_name"], picture)
            lines.append(json.dumps({**entry, **note}) + "\n")
        archive.writestr(METADATA_FILE, "".join(lines))
    return buffer.getvalue()


def _entries(
    images: Iterable[Tensor], request: GenerateRequest
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yields each image's line in the list, and its PNG file, which carries the same settings."""
    for index, image in enumerate(images):
        alone = request.of_image(index)
        settings, picture = alone.as_settings(), io.BytesIO()
        save_png(enlarge(image, 1), picture, settings)
        name = f"{alone.class_name.replace(' ', '-')}-{alone.seed:010d}.png"
        yield {"file_name": name, "label": alone.labels()[0], **settings}, picture.getvalue()
