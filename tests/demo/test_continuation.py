"""Tests of continuing a trajectory from one of its steps."""

import numpy as np
import pytest

from fashion_ddpm.core.images import enlarge
from fashion_ddpm.core.requests import GenerateRequest, RequestError
from fashion_ddpm.demo.continuation import continue_trajectory
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result

REQUEST = GenerateRequest(
    "bag", num_images=2, sampler="ddim", schedule="cosine", num_inference_steps=4
)


@pytest.fixture(scope="module")
def result(bundled_demo: Demo) -> Result:
    return bundled_demo.draw(REQUEST, "embedded")


@pytest.mark.parametrize("step", [0, 2, 3])
def test_the_same_class_and_schedule_end_where_the_trajectory_ended(
    bundled_demo: Demo, result: Result, step: int
) -> None:
    continuation = continue_trajectory(bundled_demo, result, 1, step, "cosine")
    (bag,) = (ending for ending in continuation.endings if ending.class_name == "bag")
    expected = np.asarray(enlarge(result.clean[-1, 1], 8), dtype=int)
    assert np.abs(np.asarray(bag.picture, dtype=int) - expected).max() <= 1
    assert continuation.step == step + 1


def test_the_earlier_the_trajectory_is_left_the_more_can_become_of_it(
    bundled_demo: Demo, result: Result
) -> None:
    first, last = (continue_trajectory(bundled_demo, result, 0, step, "cosine") for step in (0, 3))
    assert first.sigma > last.sigma
    possible = [
        sum((ending.score or 0) > 0.5 for ending in continuation.endings)
        for continuation in (first, last)
    ]
    assert possible[0] >= 8
    assert possible[1] <= 2
    start = f"Endings of bag, seed {REQUEST.seed}, branched at step 1 (σ = "
    assert first.sentence().startswith(start)
    assert first.sentence().endswith(f"): {possible[0]} of 10 garments still reachable.")


def test_another_schedule_goes_on_and_an_unknown_one_is_refused(
    bundled_demo: Demo, result: Result
) -> None:
    own, other = (
        continue_trajectory(bundled_demo, result, 0, 1, schedule)
        for schedule in ("cosine", "karras")
    )
    assert own.sigma == other.sigma
    assert own.endings[8].picture.tobytes() != other.endings[8].picture.tobytes()
    with pytest.raises(RequestError, match="schedule is 'magic'"):
        continue_trajectory(bundled_demo, result, 0, 1, "magic")


def test_steps_beyond_the_ends_are_the_ends(bundled_demo: Demo, result: Result) -> None:
    assert [
        continue_trajectory(bundled_demo, result, 0, step, "cosine").step for step in (-5, 99)
    ] == [
        1,
        4,
    ]
