"""Checks of folders with weights: undamaged, and nothing but tensors and JSON."""

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
LOADABLE_SUFFIXES = PICKLE_SUFFIXES.union(
    (".json", ".safetensors", ".py", ".txt", ".model", ".jinja", ".h5", ".msgpack")
)
"""Suffixes of files that some library may load."""

FORBIDDEN_PATTERNS = ("*.index.json", "adapter_config.json")
"""Shard indexes, which redirect to other files, and adapters, which change a network."""

PICKLE_MAGIC = (b"\x80", b"PK\x03\x04")
PICKLE_HINT = (
    "is a pickle, which may run any code when it is loaded; save the network as safetensors "
    "(save_pretrained does)"
)
COPY_HINT = "copy the folder anew from where it came (the bundled one: git checkout checkpoints)"


def check_folder(folder: Path, weights: str) -> None:
    """Check a folder's files before any of them is loaded.

    Args:
        folder: a checkpoint, a scorer or a classifier.
        weights: its safetensors file, relative to it.

    Raises:
        CheckpointError: a file is missing, damaged, swapped, a link to outside, a pickle, code, or
            not listed in the manifest. The manifest may be missing.
    """
    recover_folder(folder)
    for fault in _folder_faults(folder, weights):
        raise CheckpointError(fault)


def _folder_faults(folder: Path, weights: str) -> Iterator[str]:
    yield from _link_faults(folder)
    for pattern in FORBIDDEN_PATTERNS:
        for path in sorted(folder.rglob(pattern)):
            yield f"{path.relative_to(folder)} would change what is loaded; remove it"
    yield from _tensor_faults(folder, weights)
    if (folder / MANIFEST).exists():
        for fault in find_faults(folder):
            yield f"{fault}; {COPY_HINT}"
        for name in _unlisted(folder, weights):
            yield f"{name} is not listed in {MANIFEST}; remove it, or copy the folder anew"


def _link_faults(folder: Path) -> Iterator[str]:
    allowed = [folder.resolve()]
    if allowed[0].parent.name == "snapshots":  # in the Hub's cache, files are links to blobs
        allowed.append(allowed[0].parent.parent / "blobs")
    for path in sorted(folder.rglob("*")):
        target = Path(os.path.realpath(path))  # unlike resolve, it accepts cyclic links
        if not any(target.is_relative_to(root) for root in allowed):
            name = path.relative_to(folder)
            yield f"{name} is a link that leads out of the folder; put the file itself there"


def _tensor_faults(folder: Path, weights: str) -> Iterator[str]:
    path = folder / weights
    if not path.is_file():
        for other in sorted(path.parent.glob("*")):
            if other.suffix in PICKLE_SUFFIXES:
                yield f"{other.relative_to(folder)} {PICKLE_HINT}"
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
    """Return unlisted files that libraries may load, from folders that they load from."""
    listed = {*read_manifest(folder), MANIFEST}
    files = folder.rglob("*") if "/" not in weights else folder.glob("*/**/*")
    names = [
        path.relative_to(folder).as_posix() for path in files if path.suffix in LOADABLE_SUFFIXES
    ]
    return sorted(name for name in names if name not in listed)


def read_config(folder: Path, name: str, **required: Any) -> dict[str, Any]:
    """Return the content of a JSON file if it has the required values.

    Args:
        folder: the folder of the file.
        name: the file, relative to the folder.
        required: key → its only allowed value.

    Raises:
        CheckpointError: it is missing, not JSON, has other values, or asks for custom code.
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
    for key, value in required.items():
        if content.get(key) != value:
            raise CheckpointError(
                f"{name} asks for {key} {content.get(key)!r:.80}, but only {value!r} is loaded; "
                "name a folder of that kind"
            )
    return content


def check_shapes(network: nn.Module, path: Path) -> None:
    """Check that a safetensors file has all tensors; libraries initialize missing ones randomly.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape.
    """
    with safe_open(path, framework="pt") as file:
        stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    needed = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for name in sorted(needed.keys() | stored.keys()):
        if needed.get(name) != stored.get(name):
            raise CheckpointError(
                f"{path.name} holds {name} as {stored.get(name, 'nothing')}, but the network in "
                f"its config needs {needed.get(name, 'nothing')}; copy both from one checkpoint"
            )


def check_finite(network: nn.Module) -> None:
    """Check that all weights are finite.

    Raises:
        CheckpointError: a weight is NaN or infinite.
    """
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not value.isfinite().all():
            raise CheckpointError(
                f"the weights {name} are not all numbers (NaN or infinity); use a checkpoint from "
                "before the training broke"
            )
