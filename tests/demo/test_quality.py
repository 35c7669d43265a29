"""Tests of the heat map of measured quality and of the advice taken from it."""

import json
from pathlib import Path
from typing import Any

import pytest

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.quality import (
    ACCURACY,
    DISTANCE,
    MEASURED_SCHEDULE,
    Measurements,
    advice,
    conclusions,
    enough_steps,
    heat_map,
    load_measurements,
)
from fashion_ddpm.demo.request_note import describe_request

STEPS = (4, 10, 20, 50)


def measured(**distances: tuple[float, ...]) -> dict[str, Any]:
    """Return a file's content: sampler → Fréchet distances at STEPS."""
    common = {"schedule": MEASURED_SCHEDULE, "commit": "0123456789ab"}
    rows = [
        {"sampler": sampler, "steps": steps, DISTANCE: value, ACCURACY: 0.9, **common}
        for sampler, values in distances.items()
        for steps, value in zip(STEPS, values, strict=False)
    ]
    rows.append({**rows[0], "schedule": "report", DISTANCE: 18.0})
    facts = {"checkpoint_sha256": "abc", "num_images": 500, "floor": 0.15}
    return {**facts, "rows": rows}


def load(path: Path, content: Any) -> Measurements | None:
    path.write_text(json.dumps(content))
    return load_measurements(path)


@pytest.fixture
def measurements(tmp_path: Path) -> Measurements:
    found = load(
        tmp_path / "samplers.json",
        measured(ddim=(0.8, 0.4, 0.2, 0.19), ddpm=(0.8, 0.6, 0.4, 0.2), euler=(0.2, 0.3, 0.3, 0.3)),
    )
    assert found is not None
    return found


def test_steps_are_enough_where_no_more_steps_lower_the_distance_by_a_tenth(
    measurements: Measurements,
) -> None:
    found = {each: enough_steps(measurements, each) for each in measurements.samplers}
    assert found == {"ddim": 20, "ddpm": None, "euler": 4}
    assert conclusions(measurements, DISTANCE) == [
        "ddim: hardly better after 20 steps",
        "ddpm: still improving at 50 steps, the most measured",
        "euler: hardly better after 4 steps",
    ]


def test_accuracies_that_differ_by_chance_are_no_improvement(tmp_path: Path) -> None:
    content = measured(ddim=(0.2, 0.2, 0.2, 0.2))
    for row, accuracy in zip(content["rows"], (0.80, 0.90, 0.91, 0.92), strict=False):
        row[ACCURACY] = accuracy
    found = load(tmp_path / "samplers.json", content)
    assert found is not None
    assert enough_steps(found, "ddim", ACCURACY) == 10


@pytest.mark.parametrize(
    ("sampler", "steps", "expected"),
    [
        ("ddim", 7, "more steps improve the images, up to about 20"),
        ("ddim", 20, "these are enough"),
        ("ddim", 30, "hardly better after 20 steps; more only take longer"),
        ("ddpm", 20, "at least up to 50"),
        ("ddpm", 100, "not measured beyond 50"),
    ],
)
def test_advice_depends_on_the_sampler_and_its_steps(
    measurements: Measurements, sampler: str, steps: int, expected: str
) -> None:
    sentence = advice(sampler, steps, measurements)
    assert sentence.startswith(f"{sampler}: ")
    assert expected in sentence


def test_there_is_no_advice_on_what_was_not_measured(measurements: Measurements) -> None:
    assert advice("turbo", 4, measurements) == ""
    assert advice("ddim", 4, None) == ""


def test_there_is_advice_on_the_measured_schedule_alone(bundled_demo: Demo) -> None:
    for schedule, is_measured in ((MEASURED_SCHEDULE, True), ("cosine", False)):
        note = describe_request(bundled_demo, GenerateRequest("bag", schedule=schedule))
        assert ("Measured on" in note) == is_measured


def test_the_best_cell_is_darkest_for_both_metrics(measurements: Measurements) -> None:
    shown = heat_map(measurements)
    assert (shown["samplers"], shown["steps"]) == (["ddim", "ddpm", "euler"], list(STEPS))
    for word in ("500 images", MEASURED_SCHEDULE, "0123456"):
        assert word in shown["source"]
    distance, accuracy = shown["metrics"]
    assert [cell["text"] for cell in distance["rows"][0]] == ["0.80", "0.40", "0.20", "0.19"]
    shades = [cell["shade"] for cell in distance["rows"][0]]
    assert shades == sorted(shades)
    assert (shades[0], shades[-1]) == (0, 1)
    assert distance["range"] == ["0.80", "0.19"]
    assert "0.15" in distance["rule"]
    assert accuracy["rows"][0][0]["text"] == "90.0"


@pytest.mark.parametrize(
    "content", [None, [], {}, {"rows": [{}]}, {"rows": 3}, {**measured(ddim=(0.2,)), "rows": []}]
)
def test_without_measurements_there_is_nothing_to_show(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "samplers.json"
    assert load_measurements(path) is None
    assert load(path, content) is None


def test_steps_that_only_some_samplers_have_are_left_out(tmp_path: Path) -> None:
    found = load(tmp_path / "samplers.json", measured(ddim=(0.8, 0.4), ddpm=(0.8, 0.6, 0.4, 0.2)))
    assert found is not None
    assert found.steps == [4, 10]


def test_the_bundled_measurements_say_how_many_steps_are_enough() -> None:
    found = load_measurements()
    assert found is not None
    assert found.samplers[0] == "dpm++2m"
    enough = enough_steps(found, "dpm++2m")
    sentence = advice("dpm++2m", found.steps[0], found)
    assert "more steps" in sentence
    assert str(enough or found.steps[-1]) in sentence
