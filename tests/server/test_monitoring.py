"""Tests of request metrics and of the app's health."""

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
    """A pipeline that a test may break."""
    return load_pipeline(tiny_checkpoint)


def trajectory(pipeline: FashionDDPMPipeline) -> Iterator[DenoisingStep]:
    return pipeline.stream([1, 2], [0, 1], SamplingSettings(num_inference_steps=3))


def check_ended(monitor: Monitor, steps: Iterator[DenoisingStep], expected: str) -> None:
    """Check that a request is ended with a message, and counts no images."""
    with (
        pytest.raises(RequestEndedError, match=expected),
        monitor.track_request("images") as attempt,
    ):
        list(attempt.wrap_steps(steps))
    assert attempt.images == 0


def break_network(pipeline: FashionDDPMPipeline) -> None:
    with torch.no_grad():
        pipeline.unet.conv_out.weight.fill_(float("nan"))


def test_a_finished_request_is_counted_timed_and_logged(
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


def test_every_outcome_is_counted(pipeline: FashionDDPMPipeline) -> None:
    monitor = Monitor(pipeline, max_seconds=60)

    def run(error: BaseException | None) -> Generator[None, None, None]:
        with monitor.track_request("images"):
            yield
            if error:
                raise error

    for error in (UserError("a"), RequestEndedError("b"), ZeroDivisionError("c")):
        with pytest.raises(type(error)):
            list(run(error))
    cancelled = run(None)
    next(cancelled)
    cancelled.close()
    metrics = monitor.metrics()
    assert [metrics[name] for name in ("done", "rejected", "failed", "cancelled")] == [0, 1, 2, 1]
    page = generate_latest(monitor.registry).decode()
    assert 'fashion_ddpm_requests_total{outcome="failed"} 2.0' in page
    assert "fashion_ddpm_request_seconds_count 0.0" in page


def test_a_request_that_takes_too_long_is_ended(pipeline: FashionDDPMPipeline) -> None:
    check_ended(Monitor(pipeline, max_seconds=0), trajectory(pipeline), "took longer")


def test_a_broken_network_is_detected_at_start(pipeline: FashionDDPMPipeline) -> None:
    assert Monitor(pipeline, max_seconds=60).failure is None
    break_network(pipeline)
    assert Monitor(pipeline, max_seconds=60).failure == "the network's output is not a number"


def test_a_network_that_breaks_later_is_detected(pipeline: FashionDDPMPipeline) -> None:
    monitor = Monitor(pipeline, max_seconds=60)
    break_network(pipeline)
    check_ended(monitor, trajectory(pipeline), "wrong on our side")
    assert monitor.failure


def test_settings_that_diverge_are_not_a_failure_of_the_app(pipeline: FashionDDPMPipeline) -> None:
    monitor = Monitor(pipeline, max_seconds=60)
    step = next(trajectory(pipeline))
    step.clean[0, 0, 0, 0] = torch.nan
    check_ended(monitor, iter([step]), "another noise schedule")
    assert monitor.failure is None


@pytest.mark.parametrize(
    ("error", "message", "is_fatal"),
    [
        (torch.OutOfMemoryError("full"), "Out of memory; ask for fewer images", False),
        (torch.AcceleratorError("assert"), "wrong on our side", True),
    ],
)
def test_out_of_memory_is_not_fatal_and_other_accelerator_errors_are(
    pipeline: FashionDDPMPipeline, error: Exception, message: str, is_fatal: bool
) -> None:
    def steps() -> Iterator[DenoisingStep]:
        yield from trajectory(pipeline)
        raise error

    monitor = Monitor(pipeline, max_seconds=60)
    check_ended(monitor, steps(), message)
    assert bool(monitor.failure) == is_fatal
