"""Tests of the report's failure, with the bundled network."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.why_blurry import (
    COSINE,
    FIXES,
    draw_samples,
    explorer_data,
    parse_settings,
    to_request,
)
from fashion_ddpm.diffusion.schedule_check import check_schedule
from fashion_ddpm.diffusion.schedules import (
    STUDENT_BETAS,
    LinearBetas,
    build_noise_scheduler,
    noise_levels,
)

REPAIRED = LinearBetas(1000, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end)


def test_the_browser_is_sent_ten_real_images_and_where_cosine_ends() -> None:
    data = explorer_data(20)
    assert json.loads(json.dumps(data)) == data
    assert list(data["images"]) == list(CLASS_NAMES)
    assert {len(base64.b64decode(image)) for image in data["images"].values()} == {28 * 28}
    assert len(set(data["images"].values())) == 10
    assert np.std(data["noise"]) == pytest.approx(1, abs=0.05)
    cosine = data["cosine"]
    assert [len(cosine[name]) for name in ("curve", "visited", "noised")] == [101, 20, 10]
    assert cosine["curve"][0][0] == 0
    assert cosine["curve"][-1][0] == 1
    assert cosine["curve"][-1][1] == cosine["noised"][-1] < 1e-6
    levels = noise_levels(COSINE, 20, build_noise_scheduler(COSINE)).alpha_bar
    assert [level for _, level in cosine["visited"]] == pytest.approx(levels)


def test_the_same_network_fails_with_the_report_and_draws_when_it_is_repaired(
    bundled_demo: Demo,
) -> None:
    report, repaired = (
        draw_samples(bundled_demo, betas, "ankle boot", 10) for betas in (STUDENT_BETAS, REPAIRED)
    )
    assert report.score is not None
    assert report.score < 0.3
    assert repaired.score is not None
    assert repaired.score > 0.8
    assert len(repaired.trajectory.clean) == 10
    assert repaired.sentence().startswith("**linear (T = 1000, β 0.0001 … 0.02)** · CLIP: ")
    assert "ankle boot, seeds 0 to 7" in repaired.alt_text()


def test_what_is_called_a_fix_is_one_and_the_rest_is_not() -> None:
    for name, betas in FIXES.items():
        assert check_schedule(betas).starts_from_noise == name.startswith("Fix"), name


REPORT = {"num_levels": 100, "first_beta": 1e-4, "last_beta": 0.02, "class_name": "bag"}


def test_the_explorers_value_is_read() -> None:
    assert parse_settings(REPORT) == to_request(STUDENT_BETAS, "bag")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_levels": 5000}, "T is 5000; it must be a whole number"),
        ({"num_levels": 100.5}, "T is 100.5"),
        ({"first_beta": 0.01, "last_beta": 0.001}, "betas that rise"),
        ({"last_beta": "0.02"}, "last beta is '0.02'"),
        ({"class_name": ["bag"]}, "must be the name of a class"),
        ({"seed": 1}, "reload the page"),
    ],
)
def test_settings_out_of_bounds_are_told(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_settings(REPORT | changes)


@pytest.mark.parametrize("settings", [None, "", [100, 1e-4, 0.02, "bag"], {}])
def test_a_value_without_the_settings_is_told(settings: Any) -> None:
    with pytest.raises(UserError, match="reload the page"):
        parse_settings(settings)
