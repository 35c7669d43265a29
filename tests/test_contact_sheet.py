"""Tests of the contact sheet."""

from pathlib import Path

import pytest

from fashion_ddpm.contact_sheet import AXES, STEP_COUNTS, cells, sheet_requests
from fashion_ddpm.demo import Demo
from fashion_ddpm.request import RequestError


@pytest.mark.parametrize("axis", AXES)
def test_rows_vary_one_thing_and_columns_the_steps(axis: str) -> None:
    requests = sheet_requests("bag", 5, axis)
    field, values = AXES[axis]
    assert len(requests) == len(values) * len(STEP_COUNTS)
    assert [request.num_inference_steps for request in requests[:4]] == list(STEP_COUNTS)
    assert [getattr(request, field) for request in requests[::4]] == list(values)
    assert {request.seed for request in requests} == {5}


def test_a_cell_tells_its_score_and_its_time(tiny_checkpoint: Path) -> None:
    demo = Demo(tiny_checkpoint)
    (cell,) = cells(demo, sheet_requests("bag", 0, "sampler")[:1])
    assert 0 <= cell.score <= 1
    assert cell.picture.size == (3 * 118, 3 * 58)
    assert cell.caption("sampler").startswith("dpm++2m, 4 steps: ")
    assert cell.caption("sampler").endswith(" s")


@pytest.mark.parametrize(
    ("class_name", "seed", "axis", "expected"),
    [
        ("hat", 0, "sampler", "class is 'hat'"),
        ("bag", -1, "sampler", "seed is -1"),
        ("bag", 0, "colour", "rows are 'colour'"),
    ],
)
def test_a_mistake_is_refused_before_any_work(
    class_name: str, seed: int, axis: str, expected: str
) -> None:
    with pytest.raises(RequestError, match=expected):
        sheet_requests(class_name, seed, axis)
