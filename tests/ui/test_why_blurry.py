"""Tests of the story's handlers."""

from pathlib import Path

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.diffusion.schedule_check import check_schedule
from fashion_ddpm.ui.why_blurry import FIXES, Handlers


def test_the_verdict_names_the_betas_and_what_is_wrong() -> None:
    verdict, *_ = Handlers.explain(100.0, 1e-4, 0.02, "bag")
    assert "T = 100" in verdict
    assert "broken: 60 %" in verdict
    assert "good" in Handlers.explain(1000.0, 1e-4, 0.02, "bag")[0]


def test_what_is_called_a_fix_is_one_and_the_rest_is_not() -> None:
    for name, betas in FIXES.items():
        assert check_schedule(betas).starts_from_noise == name.startswith("Fix"), name


def test_both_sides_are_drawn_from_the_same_seeds(tiny_checkpoint: Path) -> None:
    handlers = Handlers(Demo(tiny_checkpoint))
    shown = handlers.draw(100, 1e-4, 0.02, "bag")
    assert shown[0].startswith("**linear (T = 100")
    assert shown[3].startswith("**cosine**")
    assert shown[1]["value"].size == shown[4]["value"].size


def test_betas_that_fall_are_the_verdict_and_nothing_of_before_stays() -> None:
    verdict, picture, *plots = Handlers.explain(100, 0.01, 0.001, "bag")
    assert "betas that rise" in verdict
    assert not picture["visible"]
    assert plots == [None, None, None]
