"""Tests of the contact sheet's handlers."""

import csv
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.demo.compare import cell_requests, cells
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.share import from_picture
from fashion_ddpm.ui.compare import Handlers, archive
from fashion_ddpm.ui.session import CurrentRun


def test_the_sheet_grows_cell_by_cell(tiny_checkpoint: Path) -> None:
    current = CurrentRun()
    events = Handlers(Demo(tiny_checkpoint)).draw(current, current.ask(), "coat", "sampler", 0.0)
    for count in (1, 2):
        pictures, status, cells_drawn, download = next(events)
        assert len(pictures["value"]) == len(cells_drawn) == count
        with zipfile.ZipFile(download["value"]) as file:
            assert len(file.namelist()) == count + 1
        assert status == f"{count} of 20 cells"
    current.stop()
    ((_, status, *_),) = events
    assert status == "Stopped: 2 of 20 cells."


def test_a_cell_opens_with_all_its_settings(tiny_checkpoint: Path) -> None:
    demo = Demo(tiny_checkpoint)
    drawn = list(cells(demo, cell_requests(demo, "coat", 3, "guidance")[:6]))
    event: Any = SimpleNamespace(index=5)
    tabs, advanced, *settings = Handlers(demo).open(drawn, event)
    assert tabs.selected == "create"
    assert advanced.open
    assert settings == [*("coat", "sigmoid", 10, "dpm++2m", 1.5, 0.0, 1.0, 8, 3, False, "embedded")]


def test_the_sheet_is_downloaded_with_names_settings_and_scores(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo(tiny_checkpoint)
    drawn = list(cells(demo, cell_requests(demo, "ankle boot", 0, "schedule")[:2]))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = Path(archive(drawn))
    assert path.name == "ankle-boot-schedule-0.zip"
    with zipfile.ZipFile(path) as file:
        assert file.namelist()[1:] == ["schedule-cosine_steps-10_seed-0.png", "scores.csv"]
        rows = list(csv.DictReader(file.read("scores.csv").decode().splitlines()))
        for row, cell in zip(rows, drawn, strict=True):
            (tmp_path / "one.png").write_bytes(file.read(row["file_name"]))
            assert from_picture(tmp_path / "one.png") == cell.settings
            assert float(row["score"]) == pytest.approx(cell.score, abs=1e-4)
            assert row["schedule"] == "cosine"


def test_a_cell_of_the_second_checkpoint_is_not_drawn_by_the_first(tiny_checkpoint: Path) -> None:
    demo = Demo(tiny_checkpoint, second=BUNDLED_CHECKPOINT)
    wanted = cell_requests(demo, "coat", 3, "checkpoint")
    drawn = list(cells(demo, [wanted[0], wanted[-1]]))
    one, two = (SimpleNamespace(index=index) for index in (0, 1))
    handlers: Any = Handlers(demo)
    assert handlers.open(drawn, one)[0].selected == "create"
    with pytest.raises(gr.Error, match=r"drawn by checkpoints/fashion-mnist, .*--checkpoint"):
        handlers.open(drawn, two)


def test_a_sheet_that_was_forgotten_is_drawn_again(tiny_checkpoint: Path) -> None:
    event: Any = SimpleNamespace(index=5)
    with pytest.raises(gr.Error, match="draw them again"):
        Handlers(Demo(tiny_checkpoint)).open([], event)


def test_a_mistake_is_a_message(tiny_checkpoint: Path) -> None:
    with pytest.raises(gr.Error, match="First seed is -1"):
        next(Handlers(Demo(tiny_checkpoint)).draw(CurrentRun(), 0, "coat", "sampler", -1))
