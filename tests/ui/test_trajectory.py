"""Tests of the panel of an image's trajectory; test_page uses it in a browser."""

from typing import Any

import gradio as gr
import pytest

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


def test_the_panel_is_empty_or_filled_and_its_slider_ends_with_the_trajectory(
    panel: TrajectoryPanel, bundled_demo: Demo, result: Result
) -> None:
    trajectory = bundled_demo.trajectory(result, 0)
    shown = panel.show(trajectory)
    assert list(shown) == panel.outputs()
    assert shown[panel.slider]["maximum"] == 10
    full = TrajectoryPanel(bundled_demo, SelectedImage(result), trajectory)
    assert (full.slider.maximum, full.slider.value) == (10, 10)
    assert panel.filmstrip.value is None


def test_the_slider_stays_inside_the_trajectory(
    panel: TrajectoryPanel, selected: tuple[Selection, str, int]
) -> None:
    for typed, step in ((0, 1), (99, 10), (1.5, 2)):
        assert panel.scrub(*selected, typed) == panel.scrub(*selected, step), "as the slider stands"
    assert panel.scrub(*selected, None) == panel.scrub(Selection(None), "", 0, 1) == gr.skip()


def test_a_trajectory_goes_on_as_each_class(
    panel: TrajectoryPanel, selected: tuple[Selection, str, int]
) -> None:
    shown = panel.draw_endings(*selected, 2, "karras")
    endings = shown[panel.endings]["value"]
    assert [caption.split(":")[0] for _, caption in endings] == list(CLASS_NAMES)
    assert shown[panel.endings_text].startswith("Left at step 2")
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
    assert panel.scrub(SelectsNext(result, is_late), query, 0, 1) == gr.skip()
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
