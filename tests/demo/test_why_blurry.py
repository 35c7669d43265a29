"""Tests of the report's failure, with the bundled network."""

import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.why_blurry import (
    COSINE,
    CUSTOM_BETAS,
    curves,
    draw_samples,
    noised_image,
    visited_levels,
)
from fashion_ddpm.diffusion.schedules import STUDENT_BETAS, LinearBetas

REPAIRED = LinearBetas(1000, STUDENT_BETAS.beta_start, STUDENT_BETAS.beta_end)


def test_the_curves_end_where_the_schedules_end() -> None:
    alpha_bar_points, log_snr_points = curves(STUDENT_BETAS)
    last = {name: value for time, name, value in alpha_bar_points if time == 1}
    assert last[CUSTOM_BETAS] == pytest.approx(0.364, abs=0.001)
    assert last[COSINE] < 1e-6
    assert len(alpha_bar_points) == len(log_snr_points) == 120
    assert min(value for _, name, value in log_snr_points if name == CUSTOM_BETAS) > -1


def test_the_levels_visited_begin_high_for_the_report_alone() -> None:
    first = {name: value for step, name, value in visited_levels(STUDENT_BETAS, 20) if step == 1}
    assert first[CUSTOM_BETAS] > -1
    assert first[COSINE] < -10


def test_the_noised_image_fills_two_rows_of_ten() -> None:
    assert noised_image(STUDENT_BETAS, "bag").size == (3 * 298, 3 * 58)


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
