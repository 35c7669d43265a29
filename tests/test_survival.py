"""Tests that runs survive kills, signals, damage, a full disk and a killed rank."""

import random
import shutil
import signal
import subprocess
from multiprocessing import get_context
from pathlib import Path
from threading import Timer

import psutil
import pytest

from fashion_ddpm.checkpoints.atomic_folders import list_states
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.json_files import TEMPORARY_SUFFIX
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.training.loop import Run, train
from fashion_ddpm.training.run_folder import RunFolder
from tests.tools import TIMEOUT_S
from tests.tools.full_disk import limit_file_size, mount_small_disk
from tests.tools.kills import train_until_killed
from tests.tools.small_runs import (
    ENVIRONMENT,
    argv,
    read_losses,
    read_run_json,
    run_training_script,
    small_config,
)

pytestmark = pytest.mark.slow


def test_a_killed_distillation_ends_where_an_undisturbed_one_ends(
    finished_run: TrainConfig, tmp_path: Path
) -> None:
    teacher = str(RunFolder(finished_run.output_dir).checkpoint)
    undisturbed = small_config(tmp_path / "whole", teacher=teacher)
    train(undisturbed)
    config = small_config(tmp_path / "run", teacher=teacher)
    process = subprocess.Popen(argv(config), env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    wait_for(process, "256 images  validation loss")
    process.kill()
    process.communicate()
    assert read_run_json(config)["images_seen"] < config.images_total
    done = run_training_script(config)
    assert "resumed at" in done.stderr
    assert read_losses(config) == pytest.approx(read_losses(undisturbed))
    run = read_run_json(config)
    assert run["sampler"] == "turbo"
    assert run["teacher"]["images_seen"] == finished_run.images_total
    assert load_pipeline(RunFolder(config.output_dir).checkpoint).is_distilled


def test_a_damaged_state_is_passed_over_for_the_one_before(
    finished_run: TrainConfig, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished_run.output_dir, tmp_path / "run")
    config = small_config(tmp_path / "run")
    newest = list_states(RunFolder(config.output_dir).states)[0]
    (newest / "model.safetensors").write_bytes(b"damaged")
    train(config)
    printed = capfd.readouterr().err
    assert "is damaged" in printed
    assert "resumed at 384 images" in printed
    assert read_losses(config) == pytest.approx(read_losses(finished_run))


def test_sigterm_saves_before_leaving(tmp_path: Path) -> None:
    config = small_config(tmp_path / "run", images_total=10**7, save_every=10**7)
    process = subprocess.Popen(argv(config), env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "loss" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    assert "run the same command to go on" in rest
    (state,) = list_states(RunFolder(config.output_dir).states)
    assert is_intact(state)
    assert 0 < read_run_json(config)["images_seen"] < config.images_total


def test_a_checkpoint_that_a_kill_left_behind_is_published_on_resume(
    finished_run: TrainConfig, tmp_path: Path
) -> None:
    """The state after a kill between the renames of the last state and of the checkpoint."""
    shutil.copytree(finished_run.output_dir, tmp_path / "run")
    config = small_config(tmp_path / "run")
    shutil.rmtree(RunFolder(config.output_dir).checkpoint)
    assert is_intact(train(config))
    assert read_losses(config) == read_losses(finished_run)


def test_kills_at_steps_and_inside_saves_change_nothing(
    finished_run: TrainConfig, tmp_path: Path
) -> None:
    """The same command, killed many times, ends with the losses of an undisturbed run."""
    config, rng = small_config(tmp_path / "run"), random.Random(0)
    context = get_context("forkserver")
    context.set_forkserver_preload([train_until_killed.__module__])
    folder, kills, cut_short, status = RunFolder(config.output_dir), 0, set(), None
    while status != 0 and kills < 60:
        process = context.Process(target=train_until_killed, args=(config, rng.randrange(1, 100)))
        process.start()
        process.join()
        status = process.exitcode
        assert status in (0, -signal.SIGKILL)
        kills += status != 0
        cut_short |= {path.name for path in folder.root.rglob(f"*{TEMPORARY_SUFFIX}")}
        assert all(is_intact(state) for state in list_states(folder.states)[:1])
        assert is_intact(folder.checkpoint) or not folder.checkpoint.exists()
    assert 5 <= kills < 60
    assert {f"checkpoint{TEMPORARY_SUFFIX}"} < cut_short, (
        "some fell into saving, some into publishing"
    )
    assert read_losses(config) == pytest.approx(read_losses(finished_run))


def copy_unfinished_run(finished_run: TrainConfig, folder: Path) -> TrainConfig:
    """Return a copy of the run without its last quarter."""
    config = small_config(folder)
    shutil.copytree(finished_run.output_dir, folder)
    shutil.rmtree(list_states(RunFolder(folder).states)[0])
    return config


def test_a_full_disk_costs_one_sentence_and_no_state(
    finished_run: TrainConfig, tmp_path: Path
) -> None:
    with mount_small_disk(tmp_path / "disk", "4m") as disk:
        config = copy_unfinished_run(finished_run, disk / "run")
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 50_000))
        with pytest.raises(CheckpointError, match=r"00000000512\S* could not be .+ make room"):
            train(config)
        (state,) = list_states(RunFolder(config.output_dir).states)
        assert is_intact(state)
        assert is_intact(RunFolder(config.output_dir).checkpoint)
        (disk / "filler").unlink()
        train(config)
        assert read_losses(config) == pytest.approx(read_losses(finished_run))


def test_a_file_that_cannot_grow_costs_one_sentence_and_no_state(
    finished_run: TrainConfig, tmp_path: Path
) -> None:
    """As on a full disk, for users who may not mount one."""
    run = Run(copy_unfinished_run(finished_run, tmp_path / "run"))
    run.resume()
    with (
        limit_file_size(40_000),  # less than a preview or a state
        pytest.raises(CheckpointError, match=r"00000000512\S* could not .+ make room"),
    ):
        run.loop()
    (state,) = list_states(run.folder.states)
    assert is_intact(state)
    assert not list(state.parent.glob(f"*{TEMPORARY_SUFFIX}"))


def rank_one(launcher: int) -> psutil.Process:
    """Return the process of rank 1 of a launcher."""
    for process in psutil.Process(launcher).children(recursive=True):
        if process.environ().get("RANK") == "1":
            return process
    raise AssertionError("rank 1 is not running")


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Read a process's output until a line contains the words."""
    assert process.stderr is not None
    printed = []
    for line in process.stderr:
        printed.append(line)
        if words in line:
            return
    raise AssertionError(f"ended without {words!r}:\n{''.join(printed)}")


def test_a_killed_rank_ends_the_others_too_or_all_start_again(tmp_path: Path) -> None:
    """With --max_restarts 1, the launcher restarts after the first kill, not the second."""
    config = small_config(tmp_path / "run", images_total=10**7)
    launcher = argv(config, processes=2, restarts=1)
    # Otherwise PyTorch may give a restarted process the address of the killed one.
    environment = ENVIRONMENT | {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    process = subprocess.Popen(launcher, env=environment, stderr=subprocess.PIPE, text=True)
    limit = Timer(TIMEOUT_S, process.terminate)
    limit.start()
    try:
        wait_for(process, "192 images  loss")
        rank_one(process.pid).kill()
        wait_for(process, "resumed at")
        wait_for(process, "images  loss")
        rank_one(process.pid).kill()
        process.communicate(timeout=TIMEOUT_S)
    finally:
        limit.cancel()
        process.terminate()
    assert process.returncode > 0
    run = Run(config)
    run.resume()
    assert run.progress.step >= 4
    assert [row["images_seen"] for row in run.progress.log if "loss" in row] == [
        32 * step for step in range(1, run.progress.step + 1)
    ]


def test_a_second_run_in_the_same_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    config = small_config(tmp_path / "run", images_total=10**7, save_every=10**7)
    first = subprocess.Popen(
        argv(config, processes=2), env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(first, "images  loss")
        second = run_training_script(config)
        assert second.returncode == 1
        assert "Traceback" not in second.stderr
        pid = int(RunFolder(config.output_dir).lock.read_text().partition("pid=")[2].split()[0])
        assert f"process {pid} on" in second.stderr.splitlines()[-1]
        wait_for(first, "images  loss")
    finally:
        first.terminate()
        first.communicate()
    assert list_states(RunFolder(config.output_dir).states), (
        "the first has saved when it was asked to end"
    )
