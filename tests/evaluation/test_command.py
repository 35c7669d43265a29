"""Tests of the evaluation, end to end on the small real data."""

import copy
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.data.load import load_data_set
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, weights_hash
from fashion_ddpm.diffusion.save_checkpoint import save_checkpoint
from fashion_ddpm.evaluation.command import Evaluation, evaluate
from fashion_ddpm.evaluation.image_sets import EvaluationError
from fashion_ddpm.evaluation.measurements import metric_names
from fashion_ddpm.evaluation.report import Report
from tests.tools import MINI_DATA, TIMEOUT_S
from tests.tools.threads import use_threads

ROOT = Path(__file__).parent.parent.parent
MINI = DataSettings(data_dir=str(MINI_DATA))


def run(checkpoint: Path, output: Path, backend: str = "eager", **changes: Any) -> Report:
    defaults = GenerateRequest("all", num_images=60, num_inference_steps=4)
    request = dataclasses.replace(defaults, **changes)
    evaluation = Evaluation(request, checkpoint, MINI, scorers=["embedded"], backend=backend)
    report = evaluate(evaluation, output)
    assert report is not None
    return report


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    folder = tmp_path_factory.mktemp("evaluation")
    with use_threads(1):  # as in the launches below
        return run(BUNDLED_CHECKPOINT, folder), folder


def test_a_good_checkpoint_is_near_the_real_images_and_its_report_can_be_repeated(
    bundled: tuple[Report, Path],
) -> None:
    report, folder = bundled
    assert report.rows["class_accuracy"].generated > 0.7  # type: ignore[operator]
    assert report.rows["domain_recall"].generated > 0.3  # type: ignore[operator]
    assert "not included" in str(report.rows["Inception_frechet_distance"].missing)
    other_data, few = report.warnings
    assert "Other data" in other_data  # the network learned from all images, these are some
    assert "biased upwards" in few
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["confusion.png", "nearest.png", "report.json", "report.md", "samples.png"]
    protocol = json.loads((folder / "report.json").read_text())["protocol"]
    assert protocol["num_images"] == 60
    assert protocol["seeds"] == "0 … 59"
    assert protocol["unet_evaluations_per_image"] == 4
    assert protocol["backend"] == "PyTorch"
    assert protocol["checkpoint_sha256"] == weights_hash(load_pipeline(BUNDLED_CHECKPOINT))


def test_the_names_of_all_metrics_are_known_beforehand(bundled: tuple[Report, Path]) -> None:
    names = metric_names(["embedded"])
    rows = {key: row.name.partition(", 60 training")[0] for key, row in bundled[0].rows.items()}
    assert rows == {key: names[key] for key in rows}


def test_noise_is_reported_as_such(tiny_checkpoint: Path, tmp_path: Path) -> None:
    warnings = " ".join(run(tiny_checkpoint, tmp_path).warnings)
    assert "this is what noise scores" in warnings


def test_a_network_whose_output_is_no_number_is_reported_as_such(
    tiny_pipeline: FashionDDPMPipeline, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    tiny_pipeline.save_pretrained(broken, safe_serialization=True)
    pipeline = load_pipeline(broken)
    torch.nn.init.constant_(pipeline.unet.conv_norm_out.weight, 3e38)  # finite; sums are not
    pipeline.save_pretrained(broken, safe_serialization=True)
    report = run(broken, tmp_path / "out")
    assert "for 60 of 60 images the network's output is not a number" in report.warnings[0]
    assert (tmp_path / "out" / "report.md").exists()


def test_data_that_the_checkpoint_was_not_trained_on_is_reported_as_such(
    tiny_pipeline: FashionDDPMPipeline, tmp_path: Path
) -> None:
    pipeline = copy.deepcopy(tiny_pipeline)
    torch.nn.init.constant_(pipeline.unet.conv_norm_out.weight, 3e38)  # so nothing is measured
    for digest, count in ((load_data_set(MINI).fingerprint.digest, 0), ("0" * 64, 1)):
        save_checkpoint(pipeline, tmp_path / "checkpoint", TrainConfig(), {"data_sha256": digest})
        warnings = run(tmp_path / "checkpoint", tmp_path / "out").warnings
        assert sum("not what the checkpoint was trained on" in each for each in warnings) == count


def test_one_class_alone_is_compared_with_its_own_kind_whatever_runs_the_network(
    tmp_path: Path,
) -> None:
    report = run(BUNDLED_CHECKPOINT, tmp_path, "openvino", class_name="trouser")
    assert report.protocol["backend"] == "OpenVINO"
    assert list(report.class_accuracy) == ["trouser"]
    assert report.class_accuracy["trouser"][0] > 0.9


def test_too_few_images_are_refused() -> None:
    with pytest.raises(
        EvaluationError, match="--num-images is 10; an evaluation needs at least 50"
    ):
        Evaluation(GenerateRequest("all", num_images=10), BUNDLED_CHECKPOINT, MINI)


@pytest.mark.slow
def test_two_processes_find_the_same_figures_as_one(
    bundled: tuple[Report, Path], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", "2", "-m", "fashion_ddpm", "evaluate", "--num-images", "60"]
    command += ["--steps", "4", "--data-dir", str(MINI_DATA), "--scorer", "embedded"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| class accuracy |") == 1
    mine = json.loads((bundled[1] / "report.json").read_text())
    theirs = json.loads((tmp_path / "report.json").read_text())
    assert theirs["protocol"]["processes"] == 2
    assert mine["confusion"] == theirs["confusion"]
    for key, row in mine["rows"].items():
        for side in ("generated", "real"):
            if row[side] is not None:
                tolerance = 0.06 if key == "classification_accuracy_score" else 1e-5
                assert theirs["rows"][key][side] == pytest.approx(row[side], abs=tolerance), key
