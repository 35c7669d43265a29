"""Tests of the launch configurations: accelerate reads them, and they start training."""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser

from fashion_ddpm.__main__ import build_parser
from fashion_ddpm.checkpoints.atomic_folders import list_states
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.cli.train import add_train
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.publishing.space_trial import find_free_port
from fashion_ddpm.training.loop import train
from fashion_ddpm.training.run_folder import RunFolder
from fashion_ddpm.training.saving import rebuild_checkpoint
from tests.tools import TIMEOUT_S
from tests.tools.small_runs import (
    ENVIRONMENT,
    ROOT,
    SCRIPT,
    make_flags,
    read_losses,
    read_run_json,
    small_config,
)

pytestmark = pytest.mark.slow

CONFIGS = ROOT / "configs" / "accelerate"


def launcher(name: str, *arguments: str) -> list[str]:
    """Return the start of an `accelerate launch` command."""
    config = ["--config_file", str(CONFIGS / f"{name}.yaml")]
    return [sys.executable, "-m", "accelerate.commands.launch", *config, *arguments]


@pytest.mark.parametrize(
    ("name", "processes", "machines", "use_cpu"),
    [
        ("cpu", 1, 1, True),
        ("one_gpu", 1, 1, False),
        ("multi_gpu", 8, 1, False),
        ("multi_node", 16, 2, False),
    ],
)
def test_accelerate_understands_every_key(
    name: str, processes: int, machines: int, use_cpu: bool
) -> None:
    config = load_config_from_file(str(CONFIGS / f"{name}.yaml"))
    assert (config.num_processes, config.num_machines) == (processes, machines)
    assert config.use_cpu == use_cpu
    parsed = launch_command_parser().parse_args([*launcher(name)[3:], SCRIPT])
    resolved, _, _ = _validate_launch_command(parsed)
    assert resolved.num_processes == processes
    assert resolved.multi_gpu == (processes > 1)


def documented_commands() -> list[str]:
    """Return the `accelerate launch` commands of docs/training.md, each on one line."""
    blocks = (ROOT / "docs" / "training.md").read_text().split("```")[1::2]
    joined = [block.replace("\\\n", " ").strip() for block in blocks]
    return [line for line in joined if "accelerate launch" in line and "#!" not in line]


def test_every_documented_command_is_understood() -> None:
    commands = documented_commands()
    assert len(commands) == 9
    for line in commands:
        words = shlex.split(line.partition("accelerate launch")[2])
        parsed = launch_command_parser().parse_args(words)
        assert (ROOT / parsed.config_file).exists(), line
        if parsed.module:
            assert parsed.training_script == "fashion_ddpm"
            assert build_parser().parse_args(parsed.training_script_args).output_dir, line
            continue
        assert (ROOT / parsed.training_script).exists(), line
        script = argparse.ArgumentParser()
        add_train(script)
        assert script.parse_args(parsed.training_script_args).output_dir, line


def test_there_are_no_other_configurations() -> None:
    names = {path.stem for path in CONFIGS.iterdir()}
    assert names == {"cpu", "one_gpu", "multi_gpu", "multi_node"}


@pytest.fixture(scope="module")
def two_machines(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """A run by two launchers that share only an address, as on two machines."""
    config = small_config(tmp_path_factory.mktemp("two-machines") / "run")
    address = ["--main_process_ip", "127.0.0.1", "--main_process_port", str(find_free_port())]
    environment = ENVIRONMENT | {"GLOO_SOCKET_IFNAME": "lo"}
    machines = []
    for rank in ("0", "1"):
        flags = ["--num_machines", "2", "--machine_rank", rank, "--num_processes", "2", *address]
        line = [*launcher("multi_node", *flags), SCRIPT, *make_flags(config)]
        machines.append(subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True))
    try:
        printed = [machine.communicate(timeout=TIMEOUT_S)[1] for machine in machines]
    finally:
        for machine in machines:
            machine.terminate()
    assert [machine.returncode for machine in machines] == [0, 0], "\n".join(printed)
    assert "images  loss" in printed[0]
    assert "images  loss" not in printed[1], "only the first process of all speaks"
    return config


def test_two_machines_meet_and_train_to_the_losses_of_one_process(
    finished_run: TrainConfig, two_machines: TrainConfig
) -> None:
    assert read_run_json(two_machines)["processes"] == 2
    assert read_losses(two_machines) == pytest.approx(read_losses(finished_run), rel=1e-3)
    assert is_intact(RunFolder(two_machines.output_dir).checkpoint)


def test_one_process_goes_on_where_two_have_stopped(
    finished_run: TrainConfig, two_machines: TrainConfig, tmp_path: Path
) -> None:
    config = small_config(tmp_path / "run")
    shutil.copytree(two_machines.output_dir, config.output_dir)
    shutil.rmtree(list_states(RunFolder(config.output_dir).states)[0])
    shutil.rmtree(RunFolder(config.output_dir).checkpoint)
    train(config)
    assert read_run_json(config)["processes"] == 1
    assert read_losses(config) == pytest.approx(read_losses(finished_run), rel=1e-3)


def test_a_launch_that_starts_one_process_instead_of_two_is_noticed(tmp_path: Path) -> None:
    """On the CPU without --multi_gpu, accelerate ignores --num_processes and starts one."""
    config = small_config(tmp_path / "run", images_total=32)
    line = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", SCRIPT]
    done = subprocess.run(
        [sys.executable, *line, *make_flags(config)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    assert "processes: 1" in done.stderr
    assert "--num_processes" in done.stderr.split("processes: 1")[1]
    assert read_run_json(config)["processes"] == 1


def test_what_notebooks_and_accelerate_leave_in_the_environment_changes_nothing(
    finished_run: TrainConfig, tmp_path: Path
) -> None:
    config = small_config(tmp_path / "run")
    left = {
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "4",
        "ACCELERATE_DYNAMO_BACKEND": "EAGER",
    }
    done = subprocess.run(
        [sys.executable, SCRIPT, *make_flags(config)],
        env=ENVIRONMENT | left,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    assert read_losses(config) == pytest.approx(read_losses(finished_run), rel=1e-3)
    rebuild_checkpoint(Path(config.output_dir), 0.1, None, tmp_path / "average")
