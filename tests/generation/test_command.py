"""Tests of the generate command's work."""

from pathlib import Path

import numpy as np
import pytest

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.generation.command import run


def test_images_are_written_and_scored_beside_real_ones(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = GenerateRequest(class_name="bag", num_images=3, num_inference_steps=2)
    run(request, str(tiny_checkpoint), tmp_path / "out.npz", 2, "embedded")
    printed = capsys.readouterr().out
    assert "real" in printed
    assert "of 3 images" in printed
    with np.load(tmp_path / "out.npz") as arrays:
        assert arrays["labels"].tolist() == [8, 8, 8]
