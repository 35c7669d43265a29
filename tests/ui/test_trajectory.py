"""Tests of the panel of an image's trajectory; test_page uses it in a browser."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.ui.session import NO_IMAGE_YET, SELECTION_CHANGED, SelectedImage, Selection
from fashion_ddpm.ui.trajectory import TrajectoryPanel


@pytest.fixture(scope="module")
def panel(bundled_demo: Demo, blocks: gr.Blocks) -> TrajectoryPanel:
    return TrajectoryPanel(bundled_demo, SelectedImage(None), None)


@pytest.fixture
def selected(result: Result) -> tuple[Selection, str, int]:
    return Selection(result), result.settings.to_query(), 0


def test_the_player_is_empty_or_has_the_run_and_the_selected_image(
    panel: TrajectoryPanel, bundled_demo: Demo, result: Result
) -> None:
    shown = panel.show(result, 3)
    assert list(shown) == panel.outputs()
    player = shown[panel.player]
    assert player["steps"] == list(range(1, 11))
    assert player["captions"][player["selected"]] == "dress, seed 3"
    assert len(player["captions"]) == len(player["sigmas"]) == 10
    assert player["curves"][0]["class_name"] == "dress"
    assert "dress" in player["decision"]
    assert "dress goes from" in player["chart"]
    json.dumps(player)
    with Image.open(player["sprite"]["path"]) as sprite:
        assert (sprite.mode, sprite.size) == ("L", (10 * 28, 2 * 10 * 28))
    full = TrajectoryPanel(bundled_demo, SelectedImage(result), result)
    assert full.player.value["sprite"]["url"].endswith("/trajectory.png")
    assert panel.player.value is None


def test_all_images_of_a_run_share_one_sprite_which_is_made_once(
    panel: TrajectoryPanel, result: Result
) -> None:
    path = Path(panel.show(result, 0)[panel.player]["sprite"]["path"])
    path.write_bytes(b"unchanged")
    shown = panel.show(result, 5)[panel.player]
    assert (shown["sprite"]["path"], shown["selected"]) == (str(path), 5)
    assert path.read_bytes() == b"unchanged"
    path.unlink()  # as gradio's clean-up does
    assert panel.show(result, 5)[panel.player]["sprite"]["path"] == str(path)
    with Image.open(path) as sprite:
        assert sprite.format == "PNG"


def test_a_branch_follows_the_runs_own_schedule_by_default(
    panel: TrajectoryPanel, result: Result
) -> None:
    for schedule in ("karras", "report"):
        request = dataclasses.replace(result.request, schedule=schedule)
        shown = panel.show(dataclasses.replace(result, request=request), 0)
        assert shown[panel.schedule] == schedule


def test_the_gif_is_named_like_the_other_downloads(
    panel: TrajectoryPanel, selected: tuple[Selection, str, int]
) -> None:
    path = Path(panel.make_gif(*selected[:2]))
    assert path.name == "all-seed-0.gif"
    with Image.open(path) as picture:
        assert (picture.format, getattr(picture, "n_frames", 1)) == ("GIF", 10)
    with pytest.raises(gr.Error, match=NO_IMAGE_YET):
        panel.make_gif(Selection(None), "")


def test_a_trajectory_goes_on_as_each_class(
    panel: TrajectoryPanel, selected: tuple[Selection, str, int]
) -> None:
    shown = panel.draw_endings(*selected, 2, "karras")
    endings = shown[panel.endings]["value"]
    assert [caption.split(":")[0] for _, caption in endings] == list(CLASS_NAMES)
    assert shown[panel.endings_text].startswith("Endings of T-shirt, seed 0, branched at step 2")
    assert (
        panel.draw_endings(Selection(None), "", 0, 1, "karras")[panel.endings_text] == NO_IMAGE_YET
    )
    with pytest.raises(gr.Error, match="Step is 99; it must be"):
        panel.draw_endings(*selected, 99, "karras")
    with pytest.raises(gr.Error, match="Noise schedule is 'magic'"):
        panel.draw_endings(*selected, 2, "magic")


@pytest.mark.parametrize(
    "is_late", [False, True], ids=["while it is answered", "before it is asked"]
)
def test_late_answers_stay_away(panel: TrajectoryPanel, result: Result, is_late: bool) -> None:
    query = result.settings.to_query()
    shown = panel.draw_endings(SelectsNext(result, is_late), query, 0, 2, "karras")
    assert shown[panel.endings_text] == SELECTION_CHANGED


class SelectsNext(Selection):
    """A visitor who selects another image during a handler, or has already done so."""

    def __init__(self, result: Result, is_late: bool) -> None:
        super().__init__(result)
        if is_late:
            self.select(result, 1)

    def image(self, query: str, index: Any) -> tuple[Result, int] | None:
        """Return the selected image, then select the next one."""
        image = super().image(query, index)
        if image:
            self.select(image[0], 1)
        return image
