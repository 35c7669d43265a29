"""Measured quality by sampler and number of steps (docs/samplers.json): heat map and advice."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from fashion_ddpm.core.config import SAMPLERS
from fashion_ddpm.core.paths import ROOT
from fashion_ddpm.core.wording import quantity

MEASUREMENTS_FILE = ROOT / "docs" / "samplers.json"
MEASURED_SCHEDULE = "karras"
"""The schedule with which all samplers were measured at the same step counts."""

DISTANCE, ACCURACY = "frechet_distance", "class_accuracy"

RISE = 0.1
"""A Fréchet distance counts as better where it is lower by more than this share."""

TWO_STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Measurements:
    """What `python -m benchmarks.samplers` measured with one schedule.

    Attributes:
        checkpoint: SHA-256 of the weights, in hexadecimal.
        num_images: generated images for each setting.
        floor: Fréchet distance of as many real images.
        commits: commits of the measurements, without repetition.
        values: metric → (sampler, steps) → value; a distance, or a share in [0, 1].
    """

    checkpoint: str
    num_images: int
    floor: float
    commits: Sequence[str]
    values: Mapping[str, Mapping[tuple[str, int], float]]

    @cached_property
    def samplers(self) -> list[str]:
        """The measured samplers, in the order of the page."""
        return [each for each in SAMPLERS if any(each == name for name, _ in self.values[DISTANCE])]

    @cached_property
    def steps(self) -> list[int]:
        """The numbers of steps at which every sampler was measured, ascending."""
        keys = set(self.values[DISTANCE])
        found = sorted({steps for _, steps in keys})
        return [steps for steps in found if all((name, steps) in keys for name in self.samplers)]

    def value(self, metric: str, sampler: str, steps: int) -> float:
        """Return the value of a metric."""
        return self.values[metric][sampler, steps]

    @property
    def chance(self) -> float:
        """Difference of two class accuracies that chance may make: two standard errors."""
        shares = list(self.values[ACCURACY].values())
        share = sum(shares) / len(shares)
        return TWO_STANDARD_ERRORS * math.sqrt(2 * share * (1 - share) / self.num_images)


def load_measurements(path: Path = MEASUREMENTS_FILE) -> Measurements | None:
    """Return the measurements; None where the file is missing or is not of this form."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for row in content["rows"] if row["schedule"] == MEASURED_SCHEDULE]
        values = {
            metric: {(row["sampler"], int(row["steps"])): float(row[metric]) for row in rows}
            for metric in (DISTANCE, ACCURACY)
        }
        found = Measurements(
            checkpoint=str(content["checkpoint_sha256"]),
            num_images=int(content["num_images"]),
            floor=float(content["floor"]),
            commits=list(dict.fromkeys(str(row["commit"]) for row in rows)),
            values=values,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.samplers and found.steps else None


@cache
def measurements_of(model: str) -> Measurements | None:
    """Return the measurements if they are of the network whose checksum starts with `model`."""
    found = load_measurements()
    return found if found and found.checkpoint.startswith(model) else None


def enough_steps(measurements: Measurements, sampler: str, metric: str = DISTANCE) -> int | None:
    """Return the fewest measured steps that no more steps improve on.

    A distance improves if it falls by more than RISE, an accuracy if it rises by more than chance.

    Returns:
        None where even the most steps still improved.
    """
    steps = measurements.steps
    values = [measurements.value(metric, sampler, each) for each in steps]
    for index, value in enumerate(values[:-1]):
        later = values[index + 1 :]
        if metric == DISTANCE and min(later) >= (1 - RISE) * value:
            return steps[index]
        if metric == ACCURACY and max(later) <= value + measurements.chance:
            return steps[index]
    return None


def advice(sampler: str, steps: int, measurements: Measurements | None) -> str:
    """Return a sentence on whether more steps would improve the images of a sampler.

    Returns:
        "" where the sampler was not measured.
    """
    if measurements is None or sampler not in measurements.samplers:
        return ""
    enough, most = enough_steps(measurements, sampler), measurements.steps[-1]
    if enough is None:
        if steps < most:
            return f"{sampler}: more steps still improve the images, at least up to {most}."
        return f"{sampler}: not measured beyond {most} steps, up to which more were better."
    if steps < enough:
        return f"{sampler}: more steps improve the images, up to about {enough}."
    if steps == enough:
        return f"{sampler}: hardly better after {enough} steps, so these are enough."
    return f"{sampler}: hardly better after {enough} steps; more only take longer."


def conclusions(measurements: Measurements, metric: str) -> list[str]:
    """Return where quality stops rising, in one sentence for each sampler."""
    most = measurements.steps[-1]
    sentences = []
    for sampler in measurements.samplers:
        enough = enough_steps(measurements, sampler, metric)
        if enough is None:
            sentences.append(f"{sampler}: still improving at {most} steps, the most measured")
        else:
            sentences.append(f"{sampler}: hardly better after {quantity(enough, 'step')}")
    return sentences


def heat_map(measurements: Measurements) -> dict[str, Any]:
    """Return the heat maps of both metrics, as ui/assets/heat_map.js reads them.

    A cell has its text and its shade, 0 for the worst value of the metric … 1 for the best.
    """
    count = quantity(measurements.num_images, "image")
    source = (
        f"{count} for each cell, all classes, the same seeds; noise schedule {MEASURED_SCHEDULE}, "
        f"guidance off; measured at commit "
        f"{', '.join(commit[:7] for commit in measurements.commits)}."
    )
    rule = {
        DISTANCE: f"“Hardly better” means: no larger number of steps lowers it by more than "
        f"{100 * RISE:.0f} %. As many real images have a distance of {measurements.floor:.2f}.",
        ACCURACY: f"“Hardly better” means: no larger number of steps gains more than "
        f"{100 * measurements.chance:.1f} points, which may be chance with {count}. It "
        "asks only whether the class is right; the Fréchet distance also sees how real and how "
        "varied the images are.",
    }
    titles = {
        DISTANCE: ("Fréchet distance", "Fashion-MNIST classifier features; lower is better"),
        ACCURACY: ("Class accuracy", "%, by an independent classifier; higher is better"),
    }
    return {
        "samplers": measurements.samplers,
        "steps": measurements.steps,
        "source": source,
        "metrics": [
            {
                "name": name,
                "unit": unit,
                "rule": rule[metric],
                "conclusions": conclusions(measurements, metric),
                "rows": _rows(measurements, metric),
                "summary": _summary(measurements, metric, name),
                "range": [_text(metric, value) for value in _worst_and_best(measurements, metric)],
            }
            for metric, (name, unit) in titles.items()
        ],
    }


def _rows(measurements: Measurements, metric: str) -> list[list[dict[str, Any]]]:
    """Return the cells of a heat map, a row for each sampler."""
    worst, best = (_position(metric, each) for each in _worst_and_best(measurements, metric))
    span = best - worst or 1.0

    def cell(value: float) -> dict[str, Any]:
        shade = (_position(metric, value) - worst) / span
        return {"text": _text(metric, value), "shade": round(shade, 3)}

    return [
        [cell(measurements.value(metric, sampler, steps)) for steps in measurements.steps]
        for sampler in measurements.samplers
    ]


def _position(metric: str, value: float) -> float:
    """Return where a value lies on the scale of colours: distances on a logarithmic one."""
    return math.log(max(value, 1e-6)) if metric == DISTANCE else value


def _worst_and_best(measurements: Measurements, metric: str) -> tuple[float, float]:
    shown = [
        measurements.value(metric, sampler, steps)
        for sampler in measurements.samplers
        for steps in measurements.steps
    ]
    return (max(shown), min(shown)) if metric == DISTANCE else (min(shown), max(shown))


def _text(metric: str, value: float) -> str:
    return f"{value:.2f}" if metric == DISTANCE else f"{100 * value:.1f}"


def _summary(measurements: Measurements, metric: str, name: str) -> str:
    """Return what the heat map shows, for screen readers."""
    _, best = _worst_and_best(measurements, metric)
    keys = (
        (sampler, steps)
        for sampler in measurements.samplers
        for steps in measurements.steps
        if measurements.value(metric, sampler, steps) == best
    )
    sampler, steps = next(keys)
    unit = " percent" if metric == ACCURACY else ""
    return (
        f"Table of {name} by sampler and number of steps; the best value is "
        f"{_text(metric, best)}{unit}, of {sampler} with {steps} steps."
    )
