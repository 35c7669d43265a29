"""Tests of the subcommands' flags."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashion_ddpm.__main__ import build_parser
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.evaluation.image_sets import EvaluationError
from fashion_ddpm.training.run_folder import RunFolder
from tests.tools import MINI_DATA


def run(*words: str) -> int:
    arguments = build_parser().parse_args(words)
    return int(arguments.run(arguments))


def test_shards_are_not_scored(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="--score needs all images in memory"):
        run("generate", "--score", "--shard-size", "5", "--output", str(tmp_path / "shards"))
    assert not (tmp_path / "shards").exists()


def test_a_class_must_be_one_of_the_given_checkpoints(tiny_checkpoint: Path) -> None:
    with pytest.raises(RequestError, match="class is 'hat'"):
        run("generate", "--class", "hat", "--checkpoint", str(tiny_checkpoint))


def test_an_average_of_another_length_is_rebuilt(
    finished_run: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "average"
    flags = ("--length", "0.08", "--at", "384", "--output", str(output))
    assert run("rebuild-average", finished_run.output_dir, *flags) == 0
    assert is_intact(output)
    assert str(output) in capsys.readouterr().out


def test_the_preview_of_a_checkpoint_is_that_of_its_run(
    finished_run: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = RunFolder(finished_run.output_dir)
    assert run("preview", str(folder.checkpoint), "--output-dir", str(tmp_path / "previews")) == 0
    written = folder.preview(finished_run.images_total)
    path = tmp_path / "previews" / written.name
    assert str(path) in capsys.readouterr().out
    with Image.open(path) as again, Image.open(written) as first:
        assert again.size == first.size
        difference = np.abs(np.asarray(again, int) - np.asarray(first, int))
    assert difference.max() <= 2  # the checkpoint's weights are float16


def test_too_few_minutes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--minutes is"):
        run(
            *("train-all", "--preset", "smoke", "--minutes", "0.001"),
            *("--data-dir", str(MINI_DATA), "--output-dir", str(tmp_path / "all")),
        )
    assert not (tmp_path / "all").exists()


def test_a_misspelt_metric_is_refused_before_anything_else(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    with pytest.raises(EvaluationError, match="names 'class acuracy'"):
        run(
            *("evaluate", "--require", "class acuracy>=0.9", "--data-dir", str(tmp_path / "none")),
            *("--checkpoint", str(tiny_checkpoint), "--output", str(tmp_path / "out")),
        )
    assert not (tmp_path / "out").exists()
