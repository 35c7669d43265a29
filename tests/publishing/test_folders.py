"""Tests of the folders to publish; test_command runs the Space."""

import json
import py_compile
import shutil
from pathlib import Path

import pytest
from diffusers import DiffusionPipeline
from PIL import Image

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import distilled_folder
from fashion_ddpm.checkpoints.manifest import is_intact, write_manifest
from fashion_ddpm.core import image_kind
from fashion_ddpm.core.json_files import FileError
from fashion_ddpm.core.paths import EVALUATION_DIR
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import load_gallery
from fashion_ddpm.demo.trust import bundled_report
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.publishing.model_card import HubRepos
from fashion_ddpm.publishing.model_folder import check_checkpoint, write_model_folder
from fashion_ddpm.publishing.space import check_space
from fashion_ddpm.publishing.space_folder import write_space_folder

REPOS = HubRepos("ada/boots", "ada/boots-demo")


@pytest.fixture(scope="module")
def demo() -> Demo:
    return Demo()


@pytest.fixture(scope="module")
def model(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled checkpoint's model repository."""
    folder = tmp_path_factory.mktemp("folders") / "model"
    write_model_folder(folder, demo.pipeline, bundled_report(demo), REPOS)
    return folder


@pytest.fixture(scope="module")
def space(demo: Demo, model: Path) -> Path:
    """The Space of that model."""
    py_compile.compile(image_kind.__file__)  # a cache, which must be left out
    folder = model.with_name("space")
    write_space_folder(folder, model, demo, EVALUATION_DIR, REPOS)
    return folder


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_model_repository_holds_the_checkpoint_and_what_a_reader_needs(model: Path) -> None:
    assert names(model) == {
        "LICENSE",
        "README.md",
        "manifest.json",
        "model_index.json",
        "pipeline.py",
        "run.json",
        "samples.png",
        "scheduler/scheduler_config.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    }
    assert is_intact(model)
    with Image.open(model / "samples.png") as picture:
        assert sum(map(bool, picture.histogram())) > 50


def test_a_space_holds_the_app_and_what_it_reads_and_no_more(space: Path) -> None:
    found = names(space)
    assert {name.split("/")[0] for name in found} == {
        "LICENSE",
        "README.md",
        "app.py",
        "checkpoints",
        "docs",
        "fashion_ddpm",
        "requirements.txt",
    }
    assert not [name for name in found if "__pycache__" in name or "/." in name]
    assert {name for name in found if name.startswith("docs/")} == {
        f"docs/evaluation/{name}"
        for name in ("report.json", "samples.png", "confusion.png", "nearest.png")
    }
    check_space(space)


def test_the_space_draws_with_the_published_model(space: Path, model: Path) -> None:
    inside = space / "checkpoints" / "fashion-mnist"
    assert names(inside) == names(model)
    assert is_intact(inside)


def test_other_weights_get_a_first_picture_of_their_own_and_no_figures(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    demo = Demo(tiny_checkpoint)
    write_model_folder(tmp_path / "model", demo.pipeline, None, REPOS)
    write_space_folder(tmp_path / "space", tmp_path / "model", demo, None, REPOS)
    assert load_gallery(demo, tmp_path / "space" / "checkpoints" / "gallery.npz") is not None
    assert "were not evaluated" in (tmp_path / "model" / "README.md").read_text()
    assert not (tmp_path / "space" / "docs").exists()
    load_pipeline(tmp_path / "model")
    assert not (tmp_path / "space" / "checkpoints" / "fashion-mnist-turbo").exists()


def test_a_space_takes_the_distilled_network_of_its_own_network_along(
    checkpoint_with_turbo: Path, tmp_path: Path
) -> None:
    demo, space = Demo(checkpoint_with_turbo), tmp_path / "space"
    write_model_folder(tmp_path / "model", demo.pipeline, None, REPOS)
    write_space_folder(space, tmp_path / "model", demo, None, REPOS)
    inside = space / "checkpoints" / "fashion-mnist-turbo"
    assert is_intact(inside)
    assert names(inside) == names(distilled_folder(checkpoint_with_turbo))


def test_a_checkpoint_of_version_0_1_gets_what_diffusers_needs(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(tiny_checkpoint, old)
    (old / "pipeline.py").unlink()
    index = json.loads((old / "model_index.json").read_text())
    (old / "model_index.json").write_text(
        json.dumps(index | {"_class_name": "FashionDDPMPipeline"})
    )
    write_manifest(old)
    write_model_folder(tmp_path / "model", load_pipeline(old), None, REPOS)
    assert is_intact(tmp_path / "model")
    pipe = DiffusionPipeline.from_pretrained(tmp_path / "model", trust_remote_code=True)
    assert len(pipe("bag", num_inference_steps=1).images) == 1


def test_what_else_lies_in_a_checkpoint_stays_there(tiny_checkpoint: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_checkpoint, copy)
    for name in ("notes.txt", "unet/.cache", "optimizer.bin"):
        (copy / name).touch()
    write_model_folder(tmp_path / "model", load_pipeline(copy), None, REPOS)
    assert names(tmp_path / "model") == names(tiny_checkpoint) | {
        "LICENSE",
        "README.md",
        "samples.png",
    }


def test_a_folder_that_is_no_checkpoint_costs_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no run\.json; name a folder that"):
        check_checkpoint(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"run\.json does not say class_names, .*name a"):
        check_checkpoint(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(FileError, match=r"run\.json cannot be read"):
        check_checkpoint(tmp_path)


def test_a_changed_checkpoint_costs_one_sentence(tiny_checkpoint: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_checkpoint, copy)
    with open(copy / "unet" / "config.json", "a") as file:
        file.write(" ")
    with pytest.raises(CheckpointError, match="a file was changed or damaged"):
        check_checkpoint(copy)
    (copy / "manifest.json").unlink()
    check_checkpoint(copy)
