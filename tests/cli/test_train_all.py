"""Tests of the command that trains, distils and evaluates, with small runs."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.cli import train_all as module
from fashion_ddpm.cli.train_all import TrainAll, train_all
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.evaluation.report import load_report
from fashion_ddpm.training.loop import train
from fashion_ddpm.training.run_folder import RunFolder
from tests.tools import MINI_DATA

pytestmark = pytest.mark.slow


@pytest.fixture
def plan(tmp_path: Path) -> TrainAll:
    """A small plan; its minutes are not used up, because the runs are shortened."""
    data = DataSettings(data_dir=str(MINI_DATA))
    return TrainAll(data, "smoke", minutes=60.0, num_images=60, output=tmp_path / "all")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each run 64 images instead of the length that fits its minutes."""

    def train_briefly(config: TrainConfig) -> Path:
        folder = RunFolder(config.output_dir)
        if not folder.config.exists():
            begun = TrainConfig(**{**vars(config), "images_total": 64, "warmup_steps": 1})
            folder.begin(begun)
        return train(config)

    monkeypatch.setattr(module, "train", train_briefly)


@pytest.mark.usefixtures("short")
def test_two_checkpoints_and_two_reports_are_left_after_the_first_call_was_stopped(
    plan: TrainAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run stops early, as after SIGTERM."""
    with monkeypatch.context() as patch:
        patch.setattr("fashion_ddpm.training.stopping.StopOnSignal.requested", True, raising=False)
        patch.setattr("fashion_ddpm.training.stopping.StopOnSignal.__init__", lambda self: None)
        assert not train_all(plan)
    assert not plan.checkpoint.exists()
    assert read_run(RunFolder(plan.output / "network").checkpoint)["images_seen"] < 64
    assert train_all(plan)
    assert read_run(plan.checkpoint)["images_seen"] == 64
    assert is_intact(plan.checkpoint)
    pipeline = load_pipeline(plan.checkpoint)
    assert pipeline.distilled_network
    assert pipeline.distilled_network.is_distilled
    for name, schedule, sampler in (
        ("evaluation", "karras", "dpm++2m"),
        ("evaluation/distilled", "cosine-midpoint", "turbo"),
    ):
        report = load_report(plan.output / name / "report.json")
        assert (report.protocol["schedule"], report.protocol["sampler"]) == (schedule, sampler)
        assert report.protocol["num_images"] == 60
        assert (plan.output / name / "samples.png").exists()
    for folder in plan.checkpoint.parent.iterdir():
        assert all(file.stat().st_size < 10_000_000 for file in folder.rglob("*"))
    before = {path: path.stat().st_mtime_ns for path in plan.output.rglob("*")}
    assert train_all(plan), "a further call changes nothing"
    assert {path: path.stat().st_mtime_ns for path in plan.output.rglob("*")} == before


def test_other_flags_in_the_same_folder_are_refused(plan: TrainAll) -> None:
    plan.output.mkdir()
    flags = {"minutes": 30.0, "preset": "smoke", "num_images": 60}
    flags |= {"dataset": "fashion-mnist", "image_size": 0, "fit": "none", "colours": "auto"}
    (plan.output / "train-all.json").write_text(json.dumps(flags))
    with pytest.raises(ConfigError, match=r"--minutes is 60\.0, but .+ was begun with 30\.0"):
        train_all(plan)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"minutes": 0.0}, "--minutes is 0.0; it must be above 0"),
        ({"minutes": float("nan")}, "--minutes is nan"),
        ({"num_images": 49}, "--num-images is 49; a report needs at least 50"),
    ],
)
def test_what_would_fail_in_the_end_is_refused_at_the_beginning(
    plan: TrainAll, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        dataclasses.replace(plan, **changes)
