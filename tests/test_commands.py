"""Tests of what the subcommands do with their flags."""

from pathlib import Path

import pytest

from fashion_ddpm.__main__ import build_parser
from fashion_ddpm.request import RequestError


def run(*words: str) -> int:
    arguments = build_parser().parse_args(words)
    return int(arguments.run(arguments))


def test_runs_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("runs", "checkpoints/fashion-mnist") == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.startswith("run ")
    assert line.startswith("checkpoints/fashion-mnist ")


def test_shards_are_not_scored(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="--score needs all images in memory"):
        run("generate", "--score", "--shard-size", "5", "--output", str(tmp_path / "shards"))
    assert not (tmp_path / "shards").exists()


def test_a_class_is_one_of_the_named_checkpoints(tiny_checkpoint: Path) -> None:
    with pytest.raises(RequestError, match="class is 'hat'"):
        run("generate", "--class", "hat", "--checkpoint", str(tiny_checkpoint))
