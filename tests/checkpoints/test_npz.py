"""Tests of npz files: damage and Python objects are refused."""

import os
from pathlib import Path

import numpy as np
import pytest

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import MANIFEST, update_manifest
from fashion_ddpm.checkpoints.npz import load_arrays, save_arrays
from tests.tools.tampering import PickleBomb


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An intact file with a manifest."""
    save_arrays(tmp_path / "a.npz", {"numbers": np.arange(5), "name": np.array("five")})
    return tmp_path / "a.npz"


def test_written_arrays_can_be_read(path: Path) -> None:
    arrays = load_arrays(path, "make it")
    assert arrays["numbers"].tolist() == [0, 1, 2, 3, 4]
    assert str(arrays["name"]) == "five"


def test_a_replaced_file_is_refused(path: Path) -> None:
    np.savez_compressed(path, numbers=np.arange(6))
    with pytest.raises(CheckpointError, match=r"a\.npz is not what manifest\.json lists.+make it"):
        load_arrays(path, "make it")


@pytest.mark.parametrize("size", [0, 1, 30, 200])
def test_a_truncated_or_missing_file_is_refused(path: Path, size: int) -> None:
    os.truncate(path, size)
    (path.parent / MANIFEST).unlink()
    with pytest.raises(CheckpointError, match="could not be loaded"):
        load_arrays(path, "make it")
    path.unlink()
    with pytest.raises(CheckpointError, match="could not be loaded"):
        load_arrays(path, "make it")


def test_python_objects_are_neither_written_nor_read(path: Path) -> None:
    proof = path.with_name("proof")
    objects = np.array([PickleBomb(proof)], dtype=object)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        save_arrays(path, {"numbers": objects})
    np.savez_compressed(path, numbers=objects)
    update_manifest(path.parent, path.name)
    with pytest.raises(CheckpointError, match="could not be loaded"):
        load_arrays(path, "make it")
    assert not proof.exists()
