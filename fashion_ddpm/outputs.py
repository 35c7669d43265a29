"""Generated images go to disk: a grid, an archive, or a folder of PNG files."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from fashion_ddpm.images import enlarge, grid, save_png
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.pipeline import Batch
from fashion_ddpm.request import GenerateRequest, RequestError

GRID_SCALE = 4
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
        columns = len(CLASS_NAMES) if len(images) >= len(CLASS_NAMES) else None
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
        for index, image in enumerate(images):
            alone = request.of_image(index)
            name = f"{alone.class_name.replace(' ', '-')}-{alone.seed:010d}.png"
            settings = alone.as_settings()
            save_png(enlarge(image, 1), folder / name, settings)
            entry = {"file_name": name, "label": alone.labels()[0], **settings}
            metadata.write(json.dumps(entry) + "\n")
