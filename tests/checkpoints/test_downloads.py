"""Tests of downloading checkpoints from a small local Hub."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.downloads import fetch_checkpoint
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.diffusion.pipeline import load_pipeline
from tests.tools.local_hub import REVISION, LocalHub, StoredRepository, run_python, serve_local_hub

OLD = "a" * 40

LOAD = """
import sys
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.pipeline import load_pipeline
for name in sys.argv[1:]:
    try:
        pipeline = load_pipeline(name)
        print(pipeline.name_or_path, *pipeline.class_names[:1])
    except UserError as error:
        print(error)
"""


def read_files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def hub(tiny_checkpoint: Path) -> Iterator[LocalHub]:
    """ada/tiny with an intact older commit and a newer one with damaged weights."""
    with serve_local_hub() as hub:
        intact = read_files(tiny_checkpoint)
        extra = {
            "pytorch_model.bin": b"pickle",
            "unet/diffusion_pytorch_model.bin": b"pickle",
            "unet/model.py": b"raise SystemExit",
            "README.md": b"card",
            "huge.ckpt": b"pickle",
        }
        weights = bytearray(intact["unet/diffusion_pytorch_model.safetensors"])
        weights[-1000] ^= 1
        swapped = {**intact, "unet/diffusion_pytorch_model.safetensors": bytes(weights)}
        stored = StoredRepository(
            {}, files={**swapped, **extra}, history={OLD: {**intact, **extra}}
        )
        hub.repos["model", "ada/tiny"] = stored
        yield hub


def test_a_pinned_commit_loads_without_other_files_and_missing_ones_are_refused(
    hub: LocalHub, tmp_path: Path
) -> None:
    missing = ("ada/nothing", f"ada/tiny@{'b' * 40}")
    printed = run_python(hub, tmp_path, "-c", LOAD, f"ada/tiny@{OLD}", *missing)
    loaded, *sentences = printed.strip().split("\n")
    assert loaded == f"ada/tiny@{OLD} T-shirt"
    for name, sentence in zip(missing, sentences, strict=True):
        assert sentence.startswith(f"{name} could not be loaded: ")
        assert sentence.endswith("connect to the network.")
    fetched = {call.split("/resolve/")[1] for call in hub.calls if "/resolve/" in call}
    assert fetched == {
        f"{OLD}/{name}"
        for name in (
            "manifest.json",
            "model_index.json",
            "pipeline.py",
            "run.json",
            "scheduler/scheduler_config.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors",
        )
    }
    cached = {path.name for path in tmp_path.rglob("*") if path.is_symlink() or path.is_file()}
    cached.remove("pipeline.py")  # it is compared with the manifest, not run
    assert not [name for name in cached if name.endswith((".bin", ".py", ".ckpt", ".md"))]


def test_the_newest_commit_is_named_and_a_damaged_file_in_it_is_refused(
    hub: LocalHub, tmp_path: Path
) -> None:
    printed = run_python(hub, tmp_path, "-c", LOAD, "ada/tiny")
    assert "ada/tiny could not be loaded: unet/diffusion_pytorch_model.safetensors" in printed
    assert "swapped" in printed
    hub.repos["model", "ada/tiny"].files = hub.repos["model", "ada/tiny"].history[OLD]
    again = run_python(hub, tmp_path / "other", "-c", LOAD, "ada/tiny", "ada/tiny@main")
    assert again.split("\n")[:2] == [f"ada/tiny@{REVISION} T-shirt"] * 2


def test_a_cached_checkpoint_loads_without_a_network(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "models--ada--tiny"
    shutil.copytree(tiny_checkpoint, cached / "snapshots" / OLD)
    weights = cached / "snapshots" / OLD / "unet" / "diffusion_pytorch_model.safetensors"
    (cached / "blobs").mkdir()
    os.replace(weights, cached / "blobs" / "content")
    weights.symlink_to(os.path.relpath(cached / "blobs" / "content", weights.parent))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert load_pipeline(f"ada/tiny@{OLD}").name_or_path == f"ada/tiny@{OLD}"
    assert read_run(f"ada/tiny@{OLD}") == read_run(tiny_checkpoint) != {}
    assert read_run(f"ada/tiny@{'b' * 40}") == {}
    os.replace(cached / "blobs" / "content", tmp_path / "elsewhere")
    weights.unlink()
    weights.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="is a link that leads out of the folder"):
        load_pipeline(f"ada/tiny@{OLD}")


@pytest.mark.parametrize("name", ["", "boots", "runs/mine/checkpoint", "/nowhere", "a/b@", "a b/c"])
def test_a_name_that_is_neither_folder_nor_repository_is_refused(name: str) -> None:
    with pytest.raises(CheckpointError, match="neither a folder nor USER/NAME@REVISION"):
        fetch_checkpoint(name)
