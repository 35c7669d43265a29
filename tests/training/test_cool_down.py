"""Tests of cooling a run down from one of its states."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.atomic_folders import list_states
from fashion_ddpm.checkpoints.manifest import is_intact, write_manifest
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.pipeline import load_pipeline, weights_hash
from fashion_ddpm.training.cool_down import copy_state, find_state, make_cool_down_config
from fashion_ddpm.training.loop import train
from fashion_ddpm.training.run_folder import RunFolder, read_settings, write_settings
from tests.tools.small_runs import read_losses, read_run_json, run_training_script, small_config


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """A run at a constant rate, 256 images long."""
    config = small_config(
        tmp_path_factory.mktemp("endless"), lr_schedule="constant", images_total=256
    )
    train(config)
    return config


def cool_down(endless: TrainConfig, output_dir: Path, **flags: object) -> TrainConfig:
    defaults = {"from_state": endless.output_dir, "cool_down_images": 128}
    return make_cool_down_config({**defaults, "output_dir": str(output_dir), **flags})


def test_a_state_cooled_down_twice_gives_the_same_weights_and_the_run_stays(
    endless: TrainConfig, tmp_path: Path
) -> None:
    before = {path.name for path in list_states(RunFolder(endless.output_dir).states)}
    hashes = set()
    for name in ("one", "two"):
        config = cool_down(endless, tmp_path / name)
        hashes.add(weights_hash(load_pipeline(train(config))))
        assert read_run_json(config)["images_seen"] == 384
    assert len(hashes) == 1
    assert {path.name for path in list_states(RunFolder(endless.output_dir).states)} == before
    assert read_run_json(endless)["images_seen"] == 256


def test_the_rate_falls_to_nothing_and_earlier_losses_are_the_runs(
    endless: TrainConfig, tmp_path: Path
) -> None:
    config = cool_down(endless, tmp_path / "run")
    train(config)
    rates = [row["learning_rate"] for row in read_run_json(config)["log"] if "learning_rate" in row]
    assert rates[7] == config.learning_rate
    assert rates[8:] == sorted(rates[8:], reverse=True)
    assert rates[-1] < 0.2 * config.learning_rate
    assert read_losses(endless).items() <= read_losses(config).items()


@pytest.mark.slow
def test_a_cool_down_resumes_after_a_kill_though_its_first_state_is_deleted(
    endless: TrainConfig, tmp_path: Path
) -> None:
    shutil.copytree(endless.output_dir, tmp_path / "long")
    flags = {
        "from_state": str(tmp_path / "long"),
        "cool_down_images": 128,
        "output_dir": str(tmp_path / "run"),
        "save_every": 32,
    }
    uninterrupted = make_cool_down_config({**flags, "output_dir": str(tmp_path / "other")})
    train(uninterrupted)
    config = make_cool_down_config(flags)
    train(config)
    shutil.rmtree(tmp_path / "long")
    folder = RunFolder(config.output_dir)
    shutil.rmtree(list_states(folder.states)[0])  # as if killed before the last state
    shutil.rmtree(folder.checkpoint)
    train(make_cool_down_config(flags))
    assert read_losses(config) == pytest.approx(read_losses(uninterrupted))


def test_the_command_line_cools_down(endless: TrainConfig, tmp_path: Path) -> None:
    config = cool_down(endless, tmp_path / "run")
    done = run_training_script(config)
    assert done.returncode == 0, done.stderr
    assert is_intact(RunFolder(tmp_path / "run").checkpoint)


def test_a_run_at_a_constant_rate_may_be_made_longer_and_others_may_not(
    endless: TrainConfig, finished_run: TrainConfig, tmp_path: Path
) -> None:
    for config, name in ((endless, "longer"), (finished_run, "refused")):
        shutil.copytree(config.output_dir, tmp_path / name)
    longer = small_config(tmp_path / "longer", lr_schedule="constant", images_total=320)
    train(longer)
    assert read_run_json(longer)["images_seen"] == 320
    message = r"--images-total is 640, but the run in .+ --lr-schedule constant .+ --initial-checkp"
    with pytest.raises(ConfigError, match=message):
        train(small_config(tmp_path / "refused", images_total=640))


def test_a_damaged_newest_state_is_skipped(endless: TrainConfig, tmp_path: Path) -> None:
    shutil.copytree(endless.output_dir, tmp_path / "long")
    newest, before = list_states(RunFolder(tmp_path / "long").states)[:2]
    (newest / "model.safetensors").write_bytes(b"damaged")
    assert find_state(tmp_path / "long") == before
    with pytest.raises(ConfigError, match=r"--from-state .+ is no whole saved state"):
        find_state(newest)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"from_state": "/nowhere"}, r"--from-state /nowhere is no whole saved state"),
        ({"cool_down_images": 0}, r"--from-state needs --cool-down-images"),
        ({"images_total": 640}, r"--images-total is 640, but it must be 384 here"),
        ({"seed": 7}, r"--seed is 7, but it must be 0 here"),
        ({"block_out_channels": (8, 16, 16)}, r"--block-out-channels is \(8, 16, 16\), but"),
    ],
)
def test_an_impossible_cool_down_is_refused(
    endless: TrainConfig, tmp_path: Path, flags: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        cool_down(endless, tmp_path / "run", **flags)
    assert not (tmp_path / "run").exists()


def test_a_falling_rate_is_no_start_and_a_folder_is_for_one_cool_down(
    endless: TrainConfig, finished_run: TrainConfig, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="holds another run than a cool-down of"):
        cool_down(endless, Path(endless.output_dir))
    config = cool_down(endless, tmp_path / "run")
    train(config)
    for falling in (finished_run, config):
        with pytest.raises(ConfigError, match="rate was falling already"):
            cool_down(falling, tmp_path / "again")
    with pytest.raises(ConfigError, match="holds another run than a cool-down of elsewhere"):
        cool_down(endless, tmp_path / "run", from_state="elsewhere")


def test_a_state_is_copied_for_a_cool_down_and_again_if_the_copy_is_damaged(
    endless: TrainConfig, tmp_path: Path
) -> None:
    config, folder = cool_down(endless, tmp_path / "run"), RunFolder(tmp_path / "run")
    copy_state(config)
    (state,) = list_states(folder.states)
    folder.check_state(state, config)
    assert read_settings(state)["cool_down_images"] == 128
    (state / "model.safetensors").write_bytes(b"damaged")
    copy_state(config)
    assert is_intact(state)


def test_a_state_of_another_run_is_no_start(endless: TrainConfig, tmp_path: Path) -> None:
    """Neither for a new cool-down, nor for a resumed one after another run replaced the state."""
    shutil.copytree(endless.output_dir, tmp_path / "long")
    flags = {"from_state": str(tmp_path / "long")}
    config = cool_down(endless, tmp_path / "run", **flags)
    newest = list_states(RunFolder(tmp_path / "long").states)[0]
    write_settings(newest, dataclasses.replace(endless, seed=5))
    write_manifest(newest)
    with pytest.raises(ConfigError, match=rf"--seed is 0, but the run that saved {newest} has 5"):
        cool_down(endless, tmp_path / "run", **flags)
    with pytest.raises(ConfigError, match=rf"--seed is 0, but the run that saved {newest} has 5"):
        copy_state(config)
