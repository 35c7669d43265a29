"""Tests of the report: what it warns of, and that it survives being written down."""

import math
from pathlib import Path

import pytest

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.json_files import FileError
from fashion_ddpm.evaluation.report import (
    Report,
    Row,
    find_warnings,
    load_report,
    metrics_table,
    save_report,
)

ROWS = {
    "class_accuracy": Row("class accuracy", 0.9, 0.94),
    "mean_pixel": Row("mean pixel", -0.42, -0.43),
    "kernel": Row("kernel distance", 0.012345, 0.001, "lower", 0.002, math.nan),
    "inception": Row("Fréchet distance (Inception)", missing="no --inception-weights"),
}
EVEN = dict.fromkeys(CLASS_NAMES, 1_000)
COLLAPSED = dict.fromkeys(CLASS_NAMES, 0) | {"bag": 9_000, "ankle boot": 1_000}


def changed(key: str, generated: float) -> dict[str, Row]:
    return ROWS | {key: Row(key, generated, ROWS[key].real)}


def test_good_images_in_number_cause_no_warning() -> None:
    assert find_warnings(ROWS, 10_000, EVEN) == []


@pytest.mark.parametrize(
    ("rows", "count", "predicted", "expected"),
    [
        (
            ROWS,
            1_000,
            dict.fromkeys(CLASS_NAMES, 100),
            "1,000 images: Fréchet distances are biased upwards",
        ),
        (ROWS, 10_000, COLLAPSED, "90% of the images look like one class, bag"),
        (
            changed("class_accuracy", 0.12),
            10_000,
            EVEN,
            "the classifier recognizes 12% of the images",
        ),
        (changed("mean_pixel", -0.05), 10_000, EVEN, "the mean pixel is -0.050"),
        # Without a classifier brightness alone is warned of.
        (changed("mean_pixel", -0.05), 10_000, {}, "Off in brightness"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    rows: dict[str, Row], count: int, predicted: dict[str, int], expected: str
) -> None:
    (warning,) = find_warnings(rows, count, predicted)
    assert expected in warning


def test_half_of_the_images_may_be_one_of_two_classes() -> None:
    assert find_warnings(ROWS, 10_000, {"on": 6_000, "off": 4_000}) == []
    assert "Collapsed" in find_warnings(ROWS, 10_000, {"on": 9_000, "off": 1_000})[0]


def test_the_table_shows_intervals_and_what_was_not_measured() -> None:
    table = metrics_table(Report({}, [], ROWS, {}, []))
    assert "| kernel distance | 0.0123 ± 0.0020 | 0.001 | lower |" in table
    assert "not measured: no --inception-weights" in table
    assert metrics_table(Report({}, [], ROWS, {}, []), ("mean_pixel",)).count("\n") == 2


def test_a_saved_report_is_read_back(tmp_path: Path) -> None:
    report = Report({"steps": 20}, ["Careful."], ROWS, {"bag": (0.9, 0.95)}, [[1]])
    save_report(report, tmp_path)
    again = load_report(tmp_path / "report.json")
    assert again.rows["class_accuracy"] == ROWS["class_accuracy"]
    assert again.rows["kernel"].real_half_width is None
    assert again.class_accuracy == report.class_accuracy
    page = (tmp_path / "report.md").read_text()
    assert "**Careful.**" in page
    assert "| bag | 90.0% | 95.0% |" in page
    assert "| steps | 20 |" in page


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"rows": []}', '{"rows": {"a": {"b": 1}}}'])
def test_a_damaged_report_costs_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(FileError, match=r"report\.json .+ evaluate, or name another"):
        load_report(tmp_path / "report.json")
