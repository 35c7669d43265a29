"""Requirements on an evaluation's metrics: "class accuracy>=0.9"."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from fashion_ddpm.core.requests import safe_repr
from fashion_ddpm.evaluation.image_sets import EvaluationError
from fashion_ddpm.evaluation.report import Report

_PATTERN = re.compile(r"(?P<metric>.+?)\s*(?P<relation>>=|<=)\s*(?P<bound>[^<>=]+)")


@dataclass(frozen=True)
class Requirement:
    """A bound on a metric of the generated images.

    Attributes:
        metric: the name of a row of the report, or its key in report.json.
        relation: ">=" or "<=".
        bound: the smallest or the largest value that is enough.
    """

    metric: str
    relation: str
    bound: float

    def is_met(self, value: float | None) -> bool:
        """Return whether a value is within the bound; one that was not measured is not."""
        if value is None or not math.isfinite(value):
            return False
        return value >= self.bound if self.relation == ">=" else value <= self.bound


def parse_requirement(text: str) -> Requirement:
    """Return the requirement in a flag's text.

    Raises:
        EvaluationError: it is not of the form METRIC>=NUMBER or METRIC<=NUMBER.
    """
    match = _PATTERN.fullmatch(text.strip())
    try:
        bound = float(match["bound"]) if match else math.nan
    except ValueError:
        bound = math.nan
    if match is None or not math.isfinite(bound):
        raise EvaluationError(
            f"--require is {safe_repr(text)}; it must be a metric, >= or <=, and a number: "
            "'class accuracy>=0.9'."
        )
    return Requirement(match["metric"], match["relation"], bound)


def check_requirements(report: Report, requirements: Sequence[Requirement]) -> list[str]:
    """Return a sentence for each requirement that the report misses.

    Raises:
        EvaluationError: the report has no such metric.
    """
    rows = {row.name.lower(): row for row in report.rows.values()}
    rows |= {key.lower(): row for key, row in report.rows.items()}
    missed = []
    for each in requirements:
        row = rows.get(each.metric.lower())
        if row is None:
            names = ", ".join(row.name for row in report.rows.values()) or "none"
            raise EvaluationError(
                f"--require names {safe_repr(each.metric)}; the report's metrics are: {names}."
            )
        if not each.is_met(row.generated):
            value = "not measured" if row.generated is None else f"{row.generated:.4g}"
            missed.append(f"Required: {row.name} {each.relation} {each.bound:g}; it is {value}.")
    return missed
