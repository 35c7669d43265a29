"""Tests of the figures."""

from pathlib import Path

import pytest
from PIL import Image

from fashion_ddpm.figures import save_confusion, save_loss_curves
from fashion_ddpm.progress import LogRow

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
    save_confusion([[10] * 10 for _ in range(10)], tmp_path / "confusion.png")
    with Image.open(tmp_path / "confusion.png") as picture:
        assert picture.height > 400
