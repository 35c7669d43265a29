"""Tests of the Why blurry? tab's handlers."""

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.diffusion.schedule_check import check_schedule
from fashion_ddpm.ui.why_blurry import FIXES, WhyBlurry


@pytest.fixture(scope="module")
def tab(demo: Demo, blocks: gr.Blocks) -> WhyBlurry:
    return WhyBlurry(demo)


def test_the_verdict_names_the_betas_and_what_is_wrong(tab: WhyBlurry) -> None:
    shown = tab.explain(100.0, 1e-4, 0.02, "bag")
    assert "T = 100" in shown[tab.verdict]
    assert "broken: 60 %" in shown[tab.verdict] == tab.verdict.value
    assert "good" in tab.explain(1000.0, 1e-4, 0.02, "bag")[tab.verdict]


def test_what_is_called_a_fix_is_one_and_the_rest_is_not() -> None:
    for name, betas in FIXES.items():
        assert check_schedule(betas).starts_from_noise == name.startswith("Fix"), name


def test_both_sides_are_drawn_from_the_same_seeds(tab: WhyBlurry) -> None:
    shown = tab.draw(100, 1e-4, 0.02, "bag")
    custom, cosine = tab.custom, tab.cosine
    assert shown[custom.sentence].startswith("**linear (T = 100")
    assert shown[cosine.sentence].startswith("**cosine**")
    assert shown[custom.filmstrip]["value"].size == shown[cosine.filmstrip]["value"].size


def test_betas_that_fall_are_the_verdict_and_nothing_of_before_stays(tab: WhyBlurry) -> None:
    shown = tab.explain(100, 0.01, 0.001, "bag")
    assert "betas that rise" in shown[tab.verdict]
    assert not shown[tab.noised_picture]["visible"]
    assert [shown[each] for each in (tab.alpha_bar_plot, tab.log_snr_plot, tab.levels_plot)] == [
        None,
        None,
        None,
    ]
