"""The bundled npz files: written with checksums, read without pickles."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import MANIFEST, find_faults, update_manifest
from fashion_ddpm.core.errors import reason


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an npz file, and its checksum into the manifest beside it."""
    np.savez_compressed(path, allow_pickle=False, **arrays)
    update_manifest(path.parent, path.name)


def load_arrays(path: Path, fix: str) -> dict[str, np.ndarray]:
    """Read an npz file.

    Args:
        path: the file; it must match the manifest beside it, if that lists it.
        fix: the command that rebuilds the file.

    Raises:
        CheckpointError: it is missing, damaged, swapped, or holds Python objects.
    """
    try:
        if (path.parent / MANIFEST).exists():
            for fault in find_faults(path.parent, path.name):
                raise ValueError(fault)
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except Exception as error:  # zip, zlib and numpy each fail in their own ways
        raise CheckpointError(
            f"{path} could not be loaded ({reason(error)}): restore it (git checkout checkpoints), "
            f"or make it anew with {fix}."
        ) from error
