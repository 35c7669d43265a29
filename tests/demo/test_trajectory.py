"""Tests of an image's trajectory."""

import dataclasses

import pytest
import torch

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.trajectory import (
    FILMSTRIP_COLUMNS,
    ScoreCurve,
    Trajectory,
    decision,
    describe_curves,
    filmstrip,
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


def test_the_filmstrip_has_two_rows_of_at_most_eleven(boot: Trajectory) -> None:
    assert filmstrip(boot).size == (3 * (FILMSTRIP_COLUMNS * 30 - 2), 3 * 58)
    short = dataclasses.replace(boot, noisy=boot.noisy[:4], clean=boot.clean[:4])
    assert filmstrip(short).size == (3 * (4 * 30 - 2), 3 * 58)


def test_the_curves_name_the_requested_class_and_its_two_runners_up(boot: Trajectory) -> None:
    scores = torch.zeros(14, 10)
    scores[:, 9], scores[3, 7], scores[5, 0] = 0.6, 0.3, 0.35
    curves = score_curves(dataclasses.replace(boot, label_scores=scores))
    assert [curve.class_name for curve in curves] == ["ankle boot", "T-shirt", "sneaker"]
    assert [len(curve.scores) for curve in curves] == [14, 14, 14]
    assert max(curves[1].scores) == 0.35
    one_class = dataclasses.replace(boot, label_scores=scores[:, 9:], label=0)
    assert len(score_curves(one_class)) == 1, "there is no other class"


def test_the_chart_is_described_with_its_classes_and_probabilities() -> None:
    curves = [ScoreCurve("bag", [0.1, 0.97]), ScoreCurve("shirt", [0.4, 0.02])]
    text = describe_curves(curves)
    assert "bag goes from 10 % to 97 %" in text
    assert "shirt reaches at most 40 %" in text
    assert describe_curves([]) == ""


def test_the_decision_is_the_step_after_which_nothing_else_wins(boot: Trajectory) -> None:
    scores = torch.zeros(4, 10)
    scores[[0, 2, 3], 9] = 1
    scores[1, 7] = 1
    shown = dataclasses.replace(boot, label_scores=scores)
    expected = 'From step 3 of 4 onward, CLIP\'s top label is "ankle boot" (100 %).'
    assert decision(shown) == expected
    lost = dataclasses.replace(boot, label_scores=scores.flip(0).roll(1, 0)[:2])
    assert decision(dataclasses.replace(lost, label=0)).startswith(
        'CLIP never settles on "T-shirt"'
    )


def test_what_merely_scores_highest_is_not_seen(boot: Trajectory) -> None:
    scores = torch.full((4, 10), 0.07)
    scores[:, 9] = torch.tensor([0.31, 0.31, 0.6, 0.9])
    settled = decision(dataclasses.replace(boot, label_scores=scores))
    assert settled.startswith("From step 3 of 4")
    assert "60 % there, 90 % at the end" in settled
    unsure = decision(dataclasses.replace(boot, label_scores=scores[:2]))
    assert unsure.startswith('CLIP never settles on "ankle boot"')
    assert "31 %" in unsure
