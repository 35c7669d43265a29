"""Tests of how gradio writes pictures."""

import os
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from fashion_ddpm.core.images import SETTINGS_KEY, name_picture, read_settings
from fashion_ddpm.ui.page import Page
from fashion_ddpm.ui.saving import save_whole

PICTURE = np.arange(784, dtype=np.uint8).reshape(28, 28)


def test_a_picture_that_somebody_reads_is_left_to_them(tmp_path: Path) -> None:
    with Page():
        gallery: Any = gr.Gallery(format="png")
    gallery.GRADIO_CACHE = str(tmp_path)
    for value in (PICTURE, Image.fromarray(PICTURE)):
        files = []
        for _ in range(2):
            (item,) = gallery.postprocess([value]).root
            files.append(open(item.image.path, "rb"))  # noqa: SIM115
        first, second = files
        assert first.name == second.name
        assert os.fstat(first.fileno()).st_ino != os.fstat(second.fileno()).st_ino
        assert first.read() == second.read() != b""
        for file in files:
            file.close()
    assert [path.name for path in tmp_path.rglob("*.*")] == ["image.png"]


def test_a_picture_with_a_name_is_saved_under_it_with_its_settings(tmp_path: Path) -> None:
    picture = name_picture(Image.fromarray(PICTURE), "bag-0000000003.png", {"seed": 3})
    path = Path(save_whole(picture, str(tmp_path), format="png"))
    assert path.name == "bag-0000000003.png"
    assert read_settings(path) == {"seed": 3}
    with Image.open(path) as read:
        assert [*read.info] == [SETTINGS_KEY]


def test_what_cannot_be_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(half: str, path: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        save_whole(Image.fromarray(PICTURE), str(tmp_path), format="png")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
