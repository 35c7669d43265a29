"""Tests of generation in shards: killed, resumed, on two processes, always the same images."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fashion_ddpm.checkpoints.atomic_folders import temporary_path
from fashion_ddpm.core.requests import GenerateRequest, RequestError
from fashion_ddpm.generation import bulk
from fashion_ddpm.generation.shards import SETTINGS_FILE
from tests.tools import TIMEOUT_S
from tests.tools.threads import use_threads

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
REQUEST = GenerateRequest("all", num_images=205, num_inference_steps=20, seed=50)
SIZE = 20
Contents = dict[str, dict[str, np.ndarray]]
"""Shard → its arrays by name."""

FLAGS = (
    *("--num-images", "205", "--steps", "20", "--seed", "50"),
    *("--batch-size", "8", "--shard-size", str(SIZE)),
)
ENVIRONMENT = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}


def command(checkpoint: Path, folder: Path, *launcher: str) -> list[str]:
    start = [sys.executable, *launcher, "-m", "fashion_ddpm", "generate", *FLAGS]
    return [*start, "--checkpoint", str(checkpoint), "--output", str(folder)]


def contents(folder: Path) -> Contents:
    """Return what each shard holds; nothing but shards and settings may be there."""
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as arrays:
            found[path.name] = dict(arrays)
    assert {path.name for path in folder.iterdir()} == {*found, SETTINGS_FILE}
    return found


@pytest.fixture(scope="module")
def whole(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What a run makes that nobody kills."""
    folder = tmp_path_factory.mktemp("bulk") / "whole"
    with use_threads(1):  # as in the launches below
        bulk.run(REQUEST, str(tiny_checkpoint), folder, SIZE, batch_size=64)
    return contents(folder)


def assert_same(found: Contents, whole: Contents) -> None:
    assert list(found) == list(whole)
    for name, arrays in whole.items():
        for key, array in arrays.items():
            assert np.array_equal(found[name][key], array), f"{key} of {name}"


def test_the_shards_hold_every_seed_once_with_its_label(
    whole: Contents,
) -> None:
    assert [len(arrays["images"]) for arrays in whole.values()] == [SIZE] * 10 + [5]
    seeds = np.concatenate([arrays["seeds"] for arrays in whole.values()])
    labels = np.concatenate([arrays["labels"] for arrays in whole.values()])
    assert seeds.tolist() == list(range(50, 255))
    assert labels.tolist() == REQUEST.labels()


def kill_after(number: int, run: list[str]) -> int:
    """Kill a run as soon as it says that so many images are done; return how it ended."""
    with subprocess.Popen(run, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        told = ""
        while part := os.read(process.stderr.fileno(), 4096):
            told += part.decode(errors="replace")
            counts = re.findall(r"(\d+)/205 ", told)
            if counts and int(counts[-1]) >= number:
                process.kill()
        return process.wait()


def test_a_run_that_is_killed_again_and_again_leaves_no_gap_and_no_duplicate(
    tiny_checkpoint: Path, tmp_path: Path, whole: Contents
) -> None:
    folder, run = tmp_path / "out", command(tiny_checkpoint, tmp_path / "out")
    for _ in range(3):
        there = {path.name for path in folder.glob("shard-*.npz")}
        assert kill_after(SIZE * len(there) + 30, run) == -signal.SIGKILL
        found = {path.name for path in folder.glob("shard-*.npz")}
        assert there < found < set(whole)
    assert subprocess.run(run, cwd=ROOT, env=ENVIRONMENT).returncode == 0
    assert_same(contents(folder), whole)


def test_two_processes_share_the_shards_and_make_the_same_images(
    tiny_checkpoint: Path, tmp_path: Path, whole: Contents
) -> None:
    folder = tmp_path / "out"
    two = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    done = subprocess.run(
        command(tiny_checkpoint, folder, *two),
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(folder)]
    assert "205/205" in done.stderr
    assert_same(contents(folder), whole)


def test_a_half_written_shard_is_made_again(tiny_checkpoint: Path, tmp_path: Path) -> None:
    few = GenerateRequest("bag", num_images=3, num_inference_steps=1)
    bulk.run(few, str(tiny_checkpoint), tmp_path, 2, batch_size=2)
    before, shard = contents(tmp_path), tmp_path / "shard-000001.npz"
    temporary_path(shard).write_bytes(shard.read_bytes()[:100])
    shard.unlink()
    bulk.run(few, str(tiny_checkpoint), tmp_path, 2, batch_size=2)
    assert_same(contents(tmp_path), before)


def test_another_run_into_the_same_folder_changes_nothing(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    few = GenerateRequest("bag", num_images=3, num_inference_steps=1)
    bulk.run(few, str(tiny_checkpoint), tmp_path, 2, batch_size=2)
    before = contents(tmp_path)
    other = dataclasses.replace(few, class_name="coat")
    with pytest.raises(RequestError, match=r"class_name 'bag', not 'coat'"):
        bulk.run(other, str(tiny_checkpoint), tmp_path, 2, batch_size=2)
    assert_same(contents(tmp_path), before)
