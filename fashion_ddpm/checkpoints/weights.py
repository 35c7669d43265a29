"""Is a folder of weights what it was when it was written, and nothing but tensors and JSON?"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import nn

from fashion_ddpm.checkpoints.atomic_folders import recover_folder
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import MANIFEST, find_faults, read_manifest
from fashion_ddpm.core.errors import reason

PICKLE_SUFFIXES = frozenset((".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"))
LOADABLE_SUFFIXES = PICKLE_SUFFIXES | {
    ".json",
    ".safetensors",
    ".py",
    ".txt",
    ".model",
    ".jinja",
    ".h5",
    ".msgpack",
}
"""Endings of what some library would read of its own accord."""

FORBIDDEN_PATTERNS = ("*.index.json", "adapter_config.json")
"""Lists that send a library to other files, and adapters that change a network."""

PICKLE_MAGIC = (b"\x80", b"PK\x03\x04")
PICKLE_HINT = (
    "is a pickle, which may run any code when it is loaded; save the network as safetensors "
    "(save_pretrained does)"
)
COPY_HINT = "copy the folder anew from where it came (the bundled one: git checkout checkpoints)"


def check_folder(folder: Path, weights: str) -> None:
    """Look at a folder's files before any of them is loaded.

    Args:
        folder: a checkpoint, a scorer or a classifier.
        weights: where its tensors lie, relative to it.

    Raises:
        CheckpointError: a file is missing, damaged, swapped, a link that leads out, a pickle, code,
            or one that the manifest does not list. Without a manifest all else is still checked.
    """
    recover_folder(folder)
    for found in _problems(folder, weights):
        raise CheckpointError(found)


def _problems(folder: Path, weights: str) -> Iterator[str]:
    yield from _links_that_lead_out(folder)
    for pattern in FORBIDDEN_PATTERNS:
        for path in sorted(folder.rglob(pattern)):
            yield f"{path.relative_to(folder)} would change what is loaded; remove it"
    yield from _faults_of_tensors(folder, weights)
    if (folder / MANIFEST).exists():
        for fault in find_faults(folder):
            yield f"{fault}; {COPY_HINT}"
        for name in _unlisted(folder, weights):
            yield f"{name} is not listed in {MANIFEST}; remove it, or copy the folder anew"


def _links_that_lead_out(folder: Path) -> Iterator[str]:
    home = folder.resolve()
    allowed = [home]
    if home.parent.name == "snapshots":  # the Hub's cache keeps the files in a folder of its own
        allowed.append(home.parent.parent / "blobs")
    for path in sorted(folder.rglob("*")):
        end = Path(os.path.realpath(path))  # unlike resolve, it bears links in a circle
        if not any(end.is_relative_to(root) for root in allowed):
            name = path.relative_to(folder)
            yield f"{name} is a link that leads out of the folder; put the file itself there"


def _faults_of_tensors(folder: Path, weights: str) -> Iterator[str]:
    path = folder / weights
    if not path.is_file():
        for found in sorted(path.parent.glob("*")):
            if found.suffix in PICKLE_SUFFIXES:
                yield f"{found.relative_to(folder)} {PICKLE_HINT}"
        yield f"{weights} is missing; {COPY_HINT}"
        return
    try:
        with open(path, "rb") as file:
            if file.read(8).startswith(PICKLE_MAGIC) and file.read(1) != b"{":
                yield f"{weights} {PICKLE_HINT}"
        with safe_open(path, framework="pt"):
            pass
    except (SafetensorError, OSError) as error:
        yield f"{weights} is no whole safetensors file ({reason(error)}); {COPY_HINT}"


def _unlisted(folder: Path, weights: str) -> list[str]:
    """Return files that the manifest does not know, from where libraries read: beside weights."""
    listed = {*read_manifest(folder), MANIFEST}
    files = folder.rglob("*") if "/" not in weights else folder.glob("*/**/*")
    names = [
        path.relative_to(folder).as_posix() for path in files if path.suffix in LOADABLE_SUFFIXES
    ]
    return sorted(name for name in names if name not in listed)


def read_config(folder: Path, name: str, **wanted: Any) -> dict[str, Any]:
    """Return a JSON file's content, once it asks for nothing but what is wanted.

    Args:
        folder: where it lies.
        name: the file, relative to the folder.
        wanted: key → the only value it may have.

    Raises:
        CheckpointError: it is missing, not JSON, or asks for another class or for code.
    """
    try:
        content = json.loads((folder / name).read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{name} cannot be read ({reason(error)}); {COPY_HINT}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{name} holds no settings; {COPY_HINT}")
    for key in ("auto_map", "quantization_config"):
        if content.get(key) is not None:
            raise CheckpointError(f"{name} asks for code of its own with {key}; remove that entry")
    for key, value in wanted.items():
        if content.get(key) != value:
            raise CheckpointError(
                f"{name} asks for {key} {content.get(key)!r:.80}, but only {value!r} is loaded; "
                "name a folder of that kind"
            )
    return content


def check_shapes(network: nn.Module, path: Path) -> None:
    """Look whether a safetensors file fills a network completely; libraries fill gaps with noise.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape.
    """
    with safe_open(path, framework="pt") as file:
        stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for name in sorted(own.keys() | stored.keys()):
        if own.get(name) != stored.get(name):
            raise CheckpointError(
                f"{path.name} holds {name} as {stored.get(name, 'nothing')}, but the network in "
                f"its config needs {own.get(name, 'nothing')}; copy both from one checkpoint"
            )


def check_finite(network: nn.Module) -> None:
    """Look whether all weights are numbers.

    Raises:
        CheckpointError: one holds NaN or infinity.
    """
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not value.isfinite().all():
            raise CheckpointError(
                f"the weights {name} are not all numbers (NaN or infinity); use a checkpoint from "
                "before the training broke"
            )
