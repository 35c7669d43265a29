"""Tests of the requirements on an evaluation."""

import pytest

from fashion_ddpm.evaluation.image_sets import EvaluationError
from fashion_ddpm.evaluation.report import Report, Row
from fashion_ddpm.evaluation.requirements import (
    Requirement,
    check_requirements,
    parse_requirement,
)

REPORT = Report(
    {},
    [],
    {
        "class_accuracy": Row("class accuracy", 0.91, 0.94),
        "frechet": Row("Fréchet distance (domain)", 0.1, 0.01, "lower"),
        "inception": Row("Fréchet distance (Inception)", missing="no weights"),
    },
    {},
    [],
)


def test_a_requirement_is_a_metric_a_relation_and_a_number() -> None:
    assert parse_requirement("class accuracy>=0.9") == Requirement("class accuracy", ">=", 0.9)
    assert parse_requirement(" frechet <= 1e-1 ") == Requirement("frechet", "<=", 0.1)


@pytest.mark.parametrize("text", ["", "class accuracy", "a>0.9", ">=1", "a>=b", "a>=nan"])
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(EvaluationError, match=r"--require is .*; it must be a metric"):
        parse_requirement(text)


def test_only_what_is_missed_is_said() -> None:
    texts = ["class accuracy>=0.9", "CLASS_ACCURACY>=0.92", "fréchet distance (domain)<=0.1"]
    assert check_requirements(REPORT, list(map(parse_requirement, texts))) == [
        "Required: class accuracy >= 0.92; it is 0.91."
    ]
    (missed,) = check_requirements(REPORT, [parse_requirement("inception<=1")])
    assert missed.endswith("it is not measured.")
    with pytest.raises(EvaluationError, match="names 'beauty'; the report's metrics are: class"):
        check_requirements(REPORT, [parse_requirement("beauty>=1")])
