"""Requirements on an evaluation's metrics: "class accuracy>=0.9"."""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fashion_ddpm.core.requests import safe_repr
from fashion_ddpm.evaluation.image_sets import EvaluationError
from fashion_ddpm.evaluation.report import Report, Row

_PATTERN = re.compile(r"(?P<metric>.+?)\s*(?P<relation>>=|<=)\s*(?P<bound>[^<>=]+)")


@dataclass(frozen=True)
class Requirement:
    """A bound on a metric of the generated images.

    Attributes:
        metric: the key of a row of the report.
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


def parse_requirement(text: str, names: Mapping[str, str]) -> Requirement:
    """Return the requirement in a flag's text.

    Args:
        text: a metric's key or name, ">=" or "<=", and a number.
        names: the metrics' keys and names.

    Raises:
        EvaluationError: it is not of this form, or there is no such metric.
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
    return Requirement(_find_metric(match["metric"], names), match["relation"], bound)


def _find_metric(text: str, names: Mapping[str, str]) -> str:
    """Return the key of the metric with this key or name, in any case.

    Raises:
        EvaluationError: there is none.
    """
    words = {name.lower(): key for key, name in names.items()}
    words |= {key.lower(): key for key in names}
    given = text.lower()
    if given in words:
        return words[given]
    similar = difflib.get_close_matches(given, words, 1)
    cure = f"; did you mean {names[words[similar[0]]]!r}?" if similar else "."
    raise EvaluationError(
        f"--require names {safe_repr(text)}; it must be one of {', '.join(names)}{cure}"
    )


def check_requirements(report: Report, requirements: Sequence[Requirement]) -> list[str]:
    """Return a sentence for each requirement that the report misses."""
    missed = []
    for each in requirements:
        row = report.rows.get(each.metric, Row(each.metric))  # one without a row is not measured
        if not each.is_met(row.generated):
            value = "not measured" if row.generated is None else f"{row.generated:.4g}"
            missed.append(f"Required: {row.name} {each.relation} {each.bound:g}; it is {value}.")
    return missed
