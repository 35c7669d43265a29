"""Tests of the contact sheet."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.demo.compare import (
    AXES,
    CHECKPOINT,
    STEP_COUNTS,
    axes,
    cell_requests,
    draw_cells,
    held_fixed,
    picture_size,
    real_images,
)
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.diffusion.sampling import DenoisingStep


@pytest.mark.parametrize("axis", AXES)
def test_rows_vary_one_thing_and_columns_the_steps(demo: Demo, axis: str) -> None:
    requests = [each.request for each in cell_requests(demo, "bag", 5, axis)]
    field, values = AXES[axis]
    assert len(requests) == len(values) * len(STEP_COUNTS)
    assert [request.num_inference_steps for request in requests[:4]] == list(STEP_COUNTS)
    assert [getattr(request, field) for request in requests[::4]] == list(values)
    assert {request.seed for request in requests} == {5}


def test_turbo_has_a_row_among_the_samplers_where_a_network_can_do_it(
    demo: Demo, checkpoint_with_turbo: Path
) -> None:
    without, with_turbo = (
        {request.row for request in cell_requests(each, "bag", 0, "sampler")}
        for each in (demo, Demo(checkpoint_with_turbo))
    )
    assert with_turbo - without == {"turbo"}


def test_a_cell_tells_its_score_and_its_cost(demo: Demo) -> None:
    (cell,) = draw_cells(demo, cell_requests(demo, "bag", 0, "sampler")[:1])
    assert cell.score is not None
    assert 0 <= cell.score <= 1
    assert cell.picture.size == (3 * 118, 3 * 58)
    assert cell.title == "Sampler dpm++2m, 4 steps"
    assert cell.score_text == f"label score {100 * cell.score:.0f} %"
    assert cell.cost_text.startswith("32 network evaluations, ")
    assert cell.cost_text.endswith(" s")


def test_a_cell_is_kept_and_not_drawn_again(demo: Demo) -> None:
    (cell,) = draw_cells(demo, cell_requests(demo, "bag", 77, "guidance")[4:5])
    begun = []

    def count(steps: Iterator[DenoisingStep]) -> Iterator[DenoisingStep]:
        for step in steps:
            begun.append(step)
            yield step

    (result,) = demo.run(cell.settings.request, cell.settings.scorer, count)
    assert isinstance(result, Result)
    assert result.settings == cell.settings
    assert len(result.noisy) == 4
    assert not begun
    another = dataclasses.replace(cell.settings.request, seed=78)
    assert len(list(demo.run(another, cell.settings.scorer, count))) > 1
    assert len(begun) == 4


def test_guidance_doubles_the_network_evaluations_that_are_told(demo: Demo) -> None:
    requests = cell_requests(demo, "bag", 0, "guidance")
    off, on = draw_cells(demo, [requests[0], requests[4]])
    assert (off.cell_request.row_label, on.cell_request.row_label) == ("1 (off)", "1.5")
    assert (off.evaluations, on.evaluations) == (32, 64)


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        ("schedule", "class bag · sampler dpm++2m · guidance 1 (off) · seeds 5–12"),
        ("sampler", "class bag · noise schedule karras · guidance 1 (off) · seeds 5–12"),
        ("guidance", "class bag · noise schedule karras · sampler dpm++2m · seeds 5–12"),
    ],
)
def test_what_all_cells_share_is_said(demo: Demo, axis: str, expected: str) -> None:
    assert held_fixed(cell_requests(demo, "bag", 5, axis)) == f"Held fixed: {expected}"


def test_real_images_of_the_class_have_the_size_and_the_score_of_a_cell(
    bundled_demo: Demo,
) -> None:
    real = real_images(bundled_demo, "bag")
    assert real is not None
    assert real.picture.size == picture_size(28) == (3 * 118, 3 * 58)
    bag = bundled_demo.kind.class_names.index("bag")
    _, baseline = bundled_demo.scorer("embedded")
    assert baseline is not None
    assert real.score_text == f"label score {100 * baseline.labels[bag, bag]:.0f} %"
    other = real_images(bundled_demo, "coat")
    assert other is not None
    assert other.picture.tobytes() != real.picture.tobytes()


def test_a_second_checkpoint_stands_below_the_first(demo: Demo, tiny_checkpoint: Path) -> None:
    both = Demo(tiny_checkpoint, compare_with=BUNDLED_CHECKPOINT)
    requests = cell_requests(both, "bag", 0, CHECKPOINT)
    assert len(requests) == 2 * len(STEP_COUNTS)
    assert requests[-1].row == "checkpoints/fashion-mnist"
    untrained, trained = draw_cells(both, requests[::4])
    assert trained.score is not None
    assert trained.score > 0.9
    assert untrained.picture.tobytes() != trained.picture.tobytes()
    assert CHECKPOINT not in axes(demo)


@pytest.mark.parametrize(
    ("class_name", "seed", "axis", "expected"),
    [
        ("hat", 0, "sampler", "class is 'hat'"),
        ("bag", -1, "sampler", "seed is -1"),
        ("bag", 0, "colour", "rows are 'colour'"),
        ("bag", 0, CHECKPOINT, "rows are 'checkpoint'"),
    ],
)
def test_a_mistake_is_refused_before_any_work(
    demo: Demo, class_name: str, seed: int, axis: str, expected: str
) -> None:
    with pytest.raises(RequestError, match=expected):
        cell_requests(demo, class_name, seed, axis)
