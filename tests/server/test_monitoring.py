"""Tests of how requests are watched, and of what the app knows of itself."""

import json
import logging
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import torch
from prometheus_client import generate_latest

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.sampling import DenoisingStep, SamplingSettings
from fashion_ddpm.server.monitoring import LOG, Monitor, RequestEndedError


@pytest.fixture
def pipeline(tiny_checkpoint: Path) -> FashionDDPMPipeline:
    """A network of its own, to be broken."""
    return load_pipeline(tiny_checkpoint)


def trajectory(pipeline: FashionDDPMPipeline) -> Iterator[DenoisingStep]:
    return pipeline.stream([1, 2], [0, 1], SamplingSettings(num_inference_steps=3))


def ends(monitor: Monitor, steps: Iterator[DenoisingStep], expected: str) -> None:
    """Check that a request is ended with a sentence, and counts no images."""
    with (
        pytest.raises(RequestEndedError, match=expected),
        monitor.track_request("images") as attempt,
    ):
        list(attempt.wrap_steps(steps))
    assert attempt.images == 0


def break_it(pipeline: FashionDDPMPipeline) -> None:
    with torch.no_grad():
        pipeline.unet.conv_out.weight.fill_(float("nan"))


def test_a_request_that_ends_well_is_counted_timed_and_logged(
    pipeline: FashionDDPMPipeline, caplog: pytest.LogCaptureFixture
) -> None:
    monitor = Monitor(pipeline, max_seconds=60)
    with caplog.at_level(logging.INFO, LOG.name):
        for _ in range(2):
            with monitor.track_request("images") as attempt:
                assert len(list(attempt.wrap_steps(trajectory(pipeline)))) == 3
    metrics = monitor.metrics()
    assert metrics["done"] == 2
    assert metrics["images_per_second"] == pytest.approx(4 / 60, abs=1e-3)
    assert 0 < metrics["p50_seconds"] <= metrics["p95_seconds"]
    line = json.loads(caplog.records[0].getMessage())
    assert set(line) == {"time", "request", "outcome", "seconds", "images"}
    assert (line["request"], line["outcome"], line["images"]) == ("images", "done", 2)


def test_every_end_is_counted_under_its_name(pipeline: FashionDDPMPipeline) -> None:
    monitor = Monitor(pipeline, max_seconds=60)

    def watched(error: BaseException | None) -> Generator[None, None, None]:
        with monitor.track_request("images"):
            yield
            if error:
                raise error

    for error in (UserError("a"), RequestEndedError("b"), ZeroDivisionError("c")):
        with pytest.raises(type(error)):
            list(watched(error))
    left = watched(None)
    next(left)
    left.close()
    metrics = monitor.metrics()
    assert [metrics[name] for name in ("done", "rejected", "failed", "cancelled")] == [0, 1, 2, 1]
    page = generate_latest(monitor.registry).decode()
    assert 'fashion_ddpm_requests_total{outcome="failed"} 2.0' in page
    assert "fashion_ddpm_request_seconds_count 0.0" in page


def test_a_request_that_takes_too_long_ends_at_its_next_step(pipeline: FashionDDPMPipeline) -> None:
    ends(Monitor(pipeline, max_seconds=0), trajectory(pipeline), "took longer")


def test_a_network_that_gives_no_numbers_is_seen_when_it_is_loaded(
    pipeline: FashionDDPMPipeline,
) -> None:
    assert Monitor(pipeline, max_seconds=60).failure is None
    break_it(pipeline)
    assert Monitor(pipeline, max_seconds=60).failure == "the network's output is not a number"


def test_a_network_that_breaks_later_is_seen_too(pipeline: FashionDDPMPipeline) -> None:
    monitor = Monitor(pipeline, max_seconds=60)
    break_it(pipeline)
    ends(monitor, trajectory(pipeline), "not because of what you asked")
    assert monitor.failure


def test_a_visitors_impossible_settings_do_not_break_the_app(pipeline: FashionDDPMPipeline) -> None:
    monitor = Monitor(pipeline, max_seconds=60)
    step = next(trajectory(pipeline))
    step.clean[0, 0, 0, 0] = torch.nan
    ends(monitor, iter([step]), "another schedule")
    assert monitor.failure is None


@pytest.mark.parametrize(
    ("error", "message", "broken"),
    [
        (torch.OutOfMemoryError("full"), "The memory is full; ask for fewer images", False),
        (torch.AcceleratorError("assert"), "not because of what you asked", True),
    ],
)
def test_an_accelerators_errors_are_told_apart(
    pipeline: FashionDDPMPipeline, error: Exception, message: str, broken: bool
) -> None:
    def steps() -> Iterator[DenoisingStep]:
        yield from trajectory(pipeline)
        raise error

    monitor = Monitor(pipeline, max_seconds=60)
    ends(monitor, steps(), message)
    assert bool(monitor.failure) == broken
