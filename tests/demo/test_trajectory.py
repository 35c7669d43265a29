"""Tests of an image's trajectory."""

import dataclasses

import pytest
import torch

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.trajectory import (
    FILMSTRIP_COLUMNS,
    RIVAL_CURVES,
    TARGET_CURVE,
    Trajectory,
    decision,
    filmstrip,
    frame,
    score_curves,
)


@pytest.fixture(scope="module")
def boot(bundled_demo: Demo) -> Trajectory:
    request = GenerateRequest("ankle boot", num_images=3, num_inference_steps=14, seed=2)
    result = bundled_demo.draw(request, "embedded")
    trajectory = bundled_demo.trajectory(result, 1)
    assert torch.equal(trajectory.clean[-1], result.clean[-1, 1])
    return trajectory


def test_a_trajectory_leads_from_noise_to_the_image(boot: Trajectory) -> None:
    assert boot.label == 9
    assert len(boot.noisy) == len(boot.clean) == len(boot.label_scores) == 14
    assert (boot.alpha_bar[1:] > boot.alpha_bar[:-1]).all()
    assert boot.percent_done[-1] == 100


def test_the_filmstrip_has_two_rows_of_at_most_eleven(boot: Trajectory) -> None:
    assert filmstrip(boot).size == (3 * (FILMSTRIP_COLUMNS * 30 - 2), 3 * 58)
    short = dataclasses.replace(boot, noisy=boot.noisy[:4], clean=boot.clean[:4])
    assert filmstrip(short).size == (3 * (4 * 30 - 2), 3 * 58)


def test_a_frame_shows_both_images_enlarged(boot: Trajectory) -> None:
    assert frame(boot, 13).size == (8 * 58, 8 * 28)


def test_the_curves_hold_the_asked_garment_and_its_rivals(boot: Trajectory) -> None:
    curves = score_curves(boot)
    assert len(curves) == 3 * 14
    assert [curves[index][1] for index in (0, 14, 28)] == [TARGET_CURVE, *RIVAL_CURVES]
    assert curves[13][0] == 100
    assert curves[13][2] > 0.5


def test_the_decision_is_the_step_after_which_nothing_else_wins(boot: Trajectory) -> None:
    scores = torch.zeros(4, 10)
    scores[[0, 2, 3], 9] = 1
    scores[1, 7] = 1
    shown = dataclasses.replace(boot, label_scores=scores)
    assert decision(shown).startswith("From step 3 of 4 on, the scorer sees an ankle boot")
    assert "100%" in decision(shown)
    lost = dataclasses.replace(boot, label_scores=scores.flip(0).roll(1, 0)[:2])
    assert decision(dataclasses.replace(lost, label=0)).startswith("It never settles on a T-shirt")


def test_what_merely_scores_highest_is_not_seen(boot: Trajectory) -> None:
    scores = torch.full((4, 10), 0.07)
    scores[:, 9] = torch.tensor([0.31, 0.31, 0.6, 0.9])
    assert decision(dataclasses.replace(boot, label_scores=scores)).startswith("From step 3 of 4")
    unsure = decision(dataclasses.replace(boot, label_scores=scores[:2]))
    assert unsure.startswith("It never settles on an ankle boot")
    assert "31%" in unsure
