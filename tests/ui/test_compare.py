"""Tests of the contact sheet's handlers."""

import csv
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.demo.compare import cell_requests, draw_cells
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.share import parse_picture
from fashion_ddpm.ui.compare import Compare, save_archive
from fashion_ddpm.ui.controls import Controls
from fashion_ddpm.ui.session import CurrentRun


@pytest.fixture(scope="module")
def tab(demo: Demo, blocks: gr.Blocks) -> Compare:
    return build_tab(demo)


def build_tab(demo: Demo) -> Compare:
    return Compare(demo, gr.Tabs(), Controls(demo))


def click(index: int) -> Any:
    return SimpleNamespace(index=index)


def test_the_sheet_grows_cell_by_cell(tab: Compare) -> None:
    current = CurrentRun()
    events = tab.draw(current, 1, "coat", "sampler", 0.0)
    places = next(events)
    assert places[tab.sheet]["cells"] == [None] * 20
    assert places[tab.cells] == []
    assert not places[tab.download]["interactive"]
    for count, shown in zip((1, 2), events, strict=False):
        cells = shown[tab.sheet]["cells"]
        assert [each is not None for each in cells] == [True] * count + [False] * (20 - count)
        assert len(shown[tab.cells]) == count
        with zipfile.ZipFile(shown[tab.download]["value"]) as file:
            assert len(file.namelist()) == count + 1
        assert shown[tab.status] == f"{count} of 20 cells"
    current.stop(1)
    assert list(events)[-1] == {tab.status: "Stopped: 2 of 20 cells."}


def test_a_cell_opens_with_all_its_settings(tab: Compare, demo: Demo) -> None:
    cells = list(draw_cells(demo, cell_requests(demo, "coat", 3, "guidance")[:6]))
    shown = tab.open(cells, click(5))
    assert shown[tab.tabs].selected == "create"
    settings = [shown[each] for each in tab.create.inputs()]
    assert settings == [*("coat", "karras", 10, "dpm++2m", 1.5, 0.0, 1.0, 8, 3, False, "embedded")]


def test_the_sheet_is_downloaded_with_names_settings_and_scores(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = list(draw_cells(demo, cell_requests(demo, "ankle boot", 0, "schedule")[:2]))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = Path(save_archive(cells))
    assert path.name == "ankle-boot-schedule-0.zip"
    with zipfile.ZipFile(path) as file:
        assert file.namelist()[1:] == ["schedule-cosine_steps-10_seed-0.png", "scores.csv"]
        rows = list(csv.DictReader(file.read("scores.csv").decode().splitlines()))
        for row, cell in zip(rows, cells, strict=True):
            (tmp_path / "one.png").write_bytes(file.read(row["file_name"]))
            assert parse_picture(tmp_path / "one.png") == cell.settings
            assert float(row["score"]) == pytest.approx(cell.score, abs=1e-4)
            assert row["schedule"] == "cosine"
            assert int(row["network_evaluations"]) == cell.evaluations


def test_a_cell_of_the_second_checkpoint_is_not_drawn_by_the_first(
    tiny_checkpoint: Path, blocks: gr.Blocks
) -> None:
    demo = Demo(tiny_checkpoint, compare_with=BUNDLED_CHECKPOINT)
    tab = build_tab(demo)
    requests = cell_requests(demo, "coat", 3, "checkpoint")
    cells = list(draw_cells(demo, [requests[0], requests[-1]]))
    assert tab.open(cells, click(0))[tab.tabs].selected == "create"
    with pytest.raises(gr.Error, match="by checkpoints/fashion-mnist, but Create"):
        tab.open(cells, click(1))


def test_the_places_are_those_of_the_settings_until_a_sheet_is_there(
    tab: Compare, demo: Demo
) -> None:
    shown = tab.show_places([], "coat", "guidance", 3.0)
    assert shown["rows"] == ["1 (off)", "1.5", "2", "4"]
    assert shown["fixed"].endswith("seeds 3–10")
    assert "coat" in shown["real"]["alt"]
    cells = list(draw_cells(demo, cell_requests(demo, "coat", 3, "guidance")[:1]))
    assert tab.show_places(cells, "bag", "sampler", 0.0) == gr.skip()


def test_the_heat_map_is_only_there_for_the_network_that_was_measured(
    bundled_demo: Demo, demo: Demo, blocks: gr.Blocks
) -> None:
    assert build_tab(bundled_demo).quality is not None
    assert build_tab(demo).quality is None


def test_a_sheet_that_was_forgotten_is_drawn_again(tab: Compare) -> None:
    with pytest.raises(gr.Error, match="generate them again"):
        tab.open([], click(5))


def test_a_mistake_is_a_message(tab: Compare) -> None:
    with pytest.raises(gr.Error, match="First seed is -1"):
        next(tab.draw(CurrentRun(), 0, "coat", "sampler", -1))
