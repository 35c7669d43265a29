"""Tests of what a run starts from: its newest saved state, or the weights of a checkpoint."""

import dataclasses
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fashion_ddpm.checkpoints.atomic_folders import list_states
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import MANIFEST, write_manifest
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.json_files import FileError
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, weights_hash
from fashion_ddpm.training.initial_state import (
    build_initial_unet,
    find_state_to_resume,
    read_teacher_settings,
)
from fashion_ddpm.training.loop import Run
from fashion_ddpm.training.run_folder import RunFolder, write_settings
from tests.conftest import TINY
from tests.tools.small_runs import read_run_json, small_config


@pytest.mark.parametrize("flag", ["initial_checkpoint", "teacher"])
def test_a_run_starts_with_the_weights_of_a_checkpoint_and_says_whose_they_are(
    tiny_checkpoint: Path, tiny_pipeline: FashionDDPMPipeline, flag: str
) -> None:
    start: dict[str, Any] = {flag: str(tiny_checkpoint)}
    config = dataclasses.replace(TINY, **start)
    unet, facts = build_initial_unet(config, kind=FASHION_MNIST)
    pairs = zip(unet.parameters(), tiny_pipeline.unet.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    if flag == "teacher":
        assert facts["sampler"] == "turbo"
        assert facts["teacher"]["weights_sha256"] == weights_hash(tiny_pipeline)
    else:
        assert facts["started_from"]["images_seen"] == 0


def test_without_a_checkpoint_there_is_nothing_before_the_run() -> None:
    unet, facts = build_initial_unet(TINY, kind=FASHION_MNIST)
    assert facts == {}
    assert unet.training


def test_a_distillation_takes_shape_and_noise_schedule_from_its_teacher(
    tiny_checkpoint: Path,
) -> None:
    taken = read_teacher_settings(str(tiny_checkpoint))
    assert tuple(taken["block_out_channels"]) == TINY.block_out_channels
    assert taken["noise_schedule"] == TINY.noise_schedule
    assert "batch_size" not in taken


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"layers_per_block": 2}, r"channels and 1 layers a block that does not fit"),
        ({"noise_schedule": "sigmoid"}, "was trained on another noise schedule"),
        ({"prediction_type": "epsilon"}, "must predict v"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused_in_a_sentence(
    tiny_checkpoint: Path, changes: dict[str, Any], sentence: str
) -> None:
    config = dataclasses.replace(TINY, teacher=str(tiny_checkpoint), **changes)
    with pytest.raises(ConfigError, match=sentence):
        build_initial_unet(config, kind=FASHION_MNIST)


def test_a_teacher_is_read_once_and_may_be_gone_when_the_run_saves(
    tiny_checkpoint: Path, tiny_pipeline: FashionDDPMPipeline, tmp_path: Path
) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "teacher")
    teacher: dict[str, Any] = {"teacher": str(tmp_path / "teacher"), "label_dropout": 0.0}
    shape = TINY.block_out_channels
    config = small_config(tmp_path / "run", images_total=64, block_out_channels=shape, **teacher)
    run = Run(config)
    shutil.rmtree(tmp_path / "teacher")
    run.resume()
    run.loop()
    assert read_run_json(config)["teacher"]["weights_sha256"] == weights_hash(tiny_pipeline)


def test_a_checkpoint_that_is_not_there_is_refused(tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, initial_checkpoint=str(tmp_path))
    with pytest.raises(CheckpointError, match=r"has no model_index\.json"):
        build_initial_unet(config, kind=FASHION_MNIST)


@pytest.fixture
def config(finished_run: TrainConfig, tmp_path: Path) -> TrainConfig:
    """A copy of a finished run, to be damaged."""
    shutil.copytree(finished_run.output_dir, tmp_path / "run")
    return small_config(tmp_path / "run")


def newest(config: TrainConfig) -> Path:
    return list_states(RunFolder(config.output_dir).states)[0]


def find_resumable(config: TrainConfig) -> tuple[Path | None, list[str]]:
    """Return the state to resume and the printed lines."""
    lines: list[str] = []
    return find_state_to_resume(RunFolder(config.output_dir), config, lines.append), lines


def test_a_state_whose_manifest_lists_nothing_is_skipped(config: TrainConfig) -> None:
    (newest(config) / MANIFEST).write_text("{}")
    state, (line,) = find_resumable(config)
    assert state == list_states(RunFolder(config.output_dir).states)[1]
    assert str(newest(config)) in line


def test_a_run_with_no_intact_state_does_not_start_again(config: TrainConfig) -> None:
    for state in list_states(RunFolder(config.output_dir).states):
        (state / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="holds no state that is whole"):
        find_resumable(config)


def test_an_empty_folder_is_a_new_run(tmp_path: Path) -> None:
    assert find_resumable(small_config(tmp_path / "run")) == (None, [])


@pytest.mark.parametrize(
    "other", [{"seed": 5}, {"block_out_channels": (8, 8, 16)}, {"dataset": "imagefolder:shapes"}]
)
def test_a_state_of_another_run_is_refused_by_its_own_record(
    config: TrainConfig, other: dict[str, object]
) -> None:
    write_settings(newest(config), small_config(Path(config.output_dir), **other))
    write_manifest(newest(config))
    (flag,) = (name.replace("_", "-") for name in other)
    with pytest.raises(ConfigError, match=rf"--{flag} is .+ run that saved {newest(config)} has"):
        find_resumable(config)


def test_without_the_runs_record_another_seed_is_still_refused_and_the_same_resumes(
    config: TrainConfig,
) -> None:
    folder = RunFolder(config.output_dir)
    folder.config.unlink()
    with pytest.raises(ConfigError, match=r"--seed is 9, but .+ has 0"):
        Run(small_config(folder.root, seed=9)).resume()
    assert not folder.config.exists(), "the refused run has not written its own record"
    assert find_resumable(config)[0] == newest(config)


def test_a_state_of_an_earlier_version_has_no_record_and_is_taken(config: TrainConfig) -> None:
    (newest(config) / "config.json").unlink()
    write_manifest(newest(config))
    assert find_resumable(config)[0] == newest(config)


@pytest.mark.parametrize("name", ["optimizer.bin", "custom_checkpoint_1.pkl", "model.safetensors"])
def test_a_pickle_in_a_state_is_refused_with_a_sentence(config: TrainConfig, name: str) -> None:
    (newest(config) / name).write_bytes(pickle.dumps(Path("anything"), protocol=2))
    write_manifest(newest(config))
    with pytest.raises(ConfigError, match=rf"{newest(config)} cannot be loaded \(.+ move it away"):
        Run(config).resume()


def test_tensors_of_another_network_are_refused_with_a_sentence(
    config: TrainConfig, shapes_run: TrainConfig
) -> None:
    """In a state without a record of its settings: three classes instead of ten."""
    shutil.copytree(newest(shapes_run), newest(config), dirs_exist_ok=True)
    (newest(config) / "config.json").unlink()
    write_manifest(newest(config))
    with pytest.raises(ConfigError, match=r"cannot be loaded .+ size mismatch"):
        Run(config).resume()


def test_a_folder_that_is_no_state_is_ignored(config: TrainConfig) -> None:
    before = newest(config)
    shutil.copytree(before, before.with_name("images-of-mine"))
    shutil.copytree(before, before.with_name("zz-backup"))
    assert find_resumable(config)[0] == before


def replace_fields(**changes: object) -> Callable[[str], str]:
    return lambda text: json.dumps(json.loads(text) | changes)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda _: "{", "cannot be read"),
        (lambda _: "", "cannot be read"),
        (lambda _: "[]", "must hold an object, not a list"),
        (lambda _: "{}", "lacks settings"),
        (replace_fields(architectures=["CLIPModel"]), "holds 'architectures'"),
        (
            replace_fields(images_total="many"),
            "--images-total is 'many'; it must be a whole number",
        ),
        (replace_fields(learning_rate=None), "--learning-rate is None; it must be a number"),
        (
            replace_fields(block_out_channels=[8, "8"]),
            "--block-out-channels is '8'; it must be a whole",
        ),
        (replace_fields(batch_size=0), "--batch-size is 0"),
    ],
)
def test_a_damaged_or_foreign_record_of_the_run_is_refused_and_kept(
    config: TrainConfig, damage: Callable[[str], str], sentence: str
) -> None:
    path = RunFolder(config.output_dir).config
    path.write_text(damage(path.read_text()))
    before = path.read_text()
    with pytest.raises(FileError, match=sentence) as refused:
        find_resumable(config)
    assert str(path) in str(refused.value)
    assert path.read_text() == before


@pytest.mark.parametrize("content", ["{", "[]", '{"images_seen": "all"}'])
def test_a_damaged_checkpoint_is_written_again(
    config: TrainConfig, content: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (RunFolder(config.output_dir).checkpoint / "run.json").write_text(content)
    Run(config).resume()
    assert "checkpoint is damaged" in capfd.readouterr().err
    assert read_run_json(config)["images_seen"] == config.images_total
