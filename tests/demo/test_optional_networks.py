"""Tests that the demo works without damaged optional networks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import gradio as gr
import pytest

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import distilled_folder
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT, BUNDLED_SCORER
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo import engine
from fashion_ddpm.demo.compare import AXES, axes, cell_requests, draw_cells
from fashion_ddpm.demo.continuation import continue_trajectory
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.trajectory import decision, score_curves
from fashion_ddpm.demo.trust import scorer_confusion
from fashion_ddpm.demo.why_blurry import draw_samples
from fashion_ddpm.scoring import clip, clip_baseline
from fashion_ddpm.ui.app import build_page
from fashion_ddpm.ui.create import score_columns

ROOT = Path(__file__).parent.parent.parent
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def copy_truncated(original: Path, copy: Path, name: str) -> Path:
    """Copy a folder and cut one of its files in half."""
    shutil.copytree(original, copy)
    os.truncate(copy / name, (copy / name).stat().st_size // 2)
    return copy


def test_a_damaged_second_network_is_left_out_and_named(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = copy_truncated(BUNDLED_CHECKPOINT, tmp_path / "bad", WEIGHTS)
    demo = Demo(tiny_checkpoint, compare_with=bad)
    assert demo.second_pipeline is None
    assert axes(demo) == list(AXES)
    message = capsys.readouterr().err
    assert "--compare-with is left out: " in message
    assert "diffusion_pytorch_model.safetensors is no whole safetensors file" in message


def test_the_app_does_not_start_with_a_damaged_network_of_its_own(tmp_path: Path) -> None:
    bad = copy_truncated(BUNDLED_CHECKPOINT, tmp_path / "bad", WEIGHTS)
    done = subprocess.run(
        [sys.executable, "app.py", "--checkpoint", str(bad)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.strip().split("\n")
    assert sentence.startswith(f"app.py: {bad} could not be loaded: {WEIGHTS} is no whole")
    assert sentence.endswith(
        "copy the folder anew from where it came (the bundled one: git checkout checkpoints)."
    )


def test_a_damaged_distilled_network_is_left_out_and_named(
    checkpoint_with_turbo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "tiny"
    shutil.copytree(checkpoint_with_turbo, copy)
    copy_truncated(distilled_folder(checkpoint_with_turbo), distilled_folder(copy), WEIGHTS)
    demo = Demo(copy)
    assert not demo.has_turbo
    assert "The sampler turbo is left out: " in capsys.readouterr().err
    with pytest.raises(CheckpointError, match="is no whole safetensors file"):
        demo.pipeline.network_for("turbo")


@pytest.fixture
def unscored(
    tiny_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Demo:
    """A demo whose embedded scorer is damaged."""
    bad = copy_truncated(BUNDLED_SCORER, tmp_path / "bad", "model.safetensors")
    monkeypatch.setattr(clip, "BUNDLED_SCORER", bad)
    demo = Demo(tiny_checkpoint)
    assert "Images are drawn without scores: The scorer embedded" in capsys.readouterr().err
    return demo


def test_without_a_scorer_images_are_drawn_and_no_score_is_made_up(unscored: Demo) -> None:
    result = unscored.draw(
        GenerateRequest("bag", num_images=2, num_inference_steps=2), unscored.scorers[0]
    )
    assert len(result.pictures()) == 2
    assert not any(score_columns(result, 1))
    assert result.archive()
    trajectory = unscored.trajectory(result, 0)
    assert score_curves(trajectory) == []
    assert decision(trajectory) == ""
    assert {end.score for end in continue_trajectory(unscored, result, 0, 0, "cosine").endings} == {
        None
    }
    assert scorer_confusion(unscored, unscored.scorers[0]) == []
    cell = next(draw_cells(unscored, cell_requests(unscored, "bag", 0, "sampler")))
    assert cell.score is None
    assert draw_samples(unscored, "cosine", "bag", 2).score is None


def test_without_a_scorer_the_page_is_still_built(unscored: Demo) -> None:
    assert isinstance(build_page(unscored), gr.Blocks)


def test_a_scorer_without_its_baseline_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(BUNDLED_SCORER, copy)
    for name in ("baseline.json", "manifest.json"):
        (copy / name).unlink()
    for module in (clip, clip_baseline):
        monkeypatch.setattr(module, "BUNDLED_SCORER", copy)
    assert list(engine.load_optional_scorers(FASHION_MNIST)) == ["none"]
