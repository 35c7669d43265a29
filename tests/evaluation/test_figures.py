"""Tests of the figures."""

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.samplers import save_budgets
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.evaluation.figures import save_confusion, save_loss_curves
from fashion_ddpm.training.run_folder import LogRow

LOG: list[LogRow] = [
    {"images_seen": 32, "loss": 1.0},
    {"images_seen": 64, "loss": 0.5},
    {"images_seen": 64, "validation_loss": 0.6, "validation_loss_by_level": [0.9, 0.3]},
]


@pytest.mark.parametrize("log", [LOG, LOG[:1], []])
def test_any_log_becomes_a_picture(tmp_path: Path, log: list[LogRow]) -> None:
    save_loss_curves(log, tmp_path / "loss.png")
    with Image.open(tmp_path / "loss.png") as picture:
        assert picture.width > 500


def test_a_confusion_matrix_becomes_a_picture(tmp_path: Path) -> None:
    save_confusion(
        [[10] * 10 for _ in range(10)], tmp_path / "confusion.png", class_names=CLASS_NAMES
    )
    with Image.open(tmp_path / "confusion.png") as picture:
        assert picture.height > 400


def test_distances_against_cost_become_a_picture(tmp_path: Path) -> None:
    rows = [
        {"sampler": s, "schedule": c, "evaluations": k, "frechet_distance": 1 / k}
        for s, c, k in (("ddim", "cosine", 4), ("dpm++2m", "cosine", 8), ("dpm++2m", "karras", 8))
    ]
    save_budgets(rows, 0.05, tmp_path / "budgets.png")
    with Image.open(tmp_path / "budgets.png") as picture:
        assert picture.width > 800
