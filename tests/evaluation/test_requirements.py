"""Tests of the requirements on an evaluation."""

import pytest

from fashion_ddpm.evaluation.image_sets import EvaluationError
from fashion_ddpm.evaluation.measurements import metric_names
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
        "domain_frechet_distance": Row("Fréchet distance (domain)", 0.1, 0.01, "lower"),
        "Inception_frechet_distance": Row("Fréchet distance (Inception)", missing="no weights"),
    },
    {},
    [],
)


NAMES = metric_names(["embedded"])


def parse(text: str) -> Requirement:
    return parse_requirement(text, NAMES)


def test_a_requirement_is_a_metric_by_key_or_name_a_relation_and_a_number() -> None:
    assert parse("class accuracy>=0.9") == Requirement("class_accuracy", ">=", 0.9)
    assert parse("CLASS_ACCURACY>=0.9") == Requirement("class_accuracy", ">=", 0.9)
    assert parse(" precision, K = 4 (domain) <= 1e-1 ") == Requirement(
        "domain_precision", "<=", 0.1
    )
    assert parse("label score (embedded)>=1").metric == "label_score:embedded"


@pytest.mark.parametrize("text", ["", "class accuracy", "a>0.9", ">=1", "a>=b", "a>=nan"])
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(EvaluationError, match=r"--require is .*; it must be a metric"):
        parse(text)


def test_a_misspelt_metric_is_refused_with_the_metrics_and_the_nearest_one() -> None:
    with pytest.raises(EvaluationError, match=r"names 'class acuracy'; .*mean 'class accuracy'\?$"):
        parse("class acuracy>=0.9")
    with pytest.raises(EvaluationError, match=r"names 'beauty'; .*class_accuracy, mean_pixel.*\.$"):
        parse("beauty>=1")


def test_only_what_is_missed_is_said() -> None:
    texts = ["class accuracy>=0.9", "class accuracy>=0.92", "domain_frechet_distance<=0.1"]
    assert check_requirements(REPORT, list(map(parse, texts))) == [
        "Required: class accuracy >= 0.92; it is 0.91."
    ]


@pytest.mark.parametrize("key", ["Inception_frechet_distance", "mean_pixel"])
def test_what_was_not_measured_is_missed(key: str) -> None:
    (missed,) = check_requirements(REPORT, [parse(f"{key}<=1")])
    assert missed.endswith("it is not measured.")
