"""Counts, durations and time limits of requests, and the health of the app."""

import json
import logging
import statistics
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import torch
from prometheus_client import CollectorRegistry, Counter, Histogram

from fashion_ddpm.core.errors import UserError, reason
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.sampling import DenoisingStep, SamplingSettings

MAX_DURATIONS = 1000
"""Number of finished requests from which the percentiles are computed."""

BUCKET_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Bucket bounds of the Prometheus histogram of durations."""

RATE_SECONDS = 60.0
"""Window over which images per second are counted."""

LOG = logging.getLogger("fashion_ddpm.requests")

OUTCOMES = ("accepted", "done", "rejected", "cancelled", "failed")
"""Labels of the request counter; "accepted" counts those that the middleware let in."""

INTERNAL_ERROR = "Something went wrong on our side. Please try again."


class RequestEndedError(UserError):
    """A request was ended by the server; the message says why."""


class StoppedError(UserError):
    """A request was stopped, or replaced by a newer one, by its visitor; this is not a failure."""


class Monitor:
    """Metrics of requests, and the health of the app.

    Attributes:
        registry: Prometheus metrics.
        failure: why the app cannot generate images, or None.
        is_draining: whether new requests are refused because the server is stopping.
    """

    def __init__(self, pipeline: FashionDDPMPipeline, max_seconds: float) -> None:
        self._pipeline, self._max_seconds = pipeline, max_seconds
        self._lock = threading.Lock()
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "fashion_ddpm_requests",
            "Requests that were let in or turned away, and how they ended.",
            ["outcome"],
            registry=self.registry,
        )
        for outcome in OUTCOMES:
            self._requests.labels(outcome)  # lists it at 0
        self._durations = Histogram(
            "fashion_ddpm_request_seconds",
            "Seconds that finished requests took.",
            buckets=BUCKET_SECONDS,
            registry=self.registry,
        )
        self._seconds: deque[float] = deque(maxlen=MAX_DURATIONS)
        self._images: deque[tuple[float, int]] = deque()
        self.failure: str | None = None
        self.is_draining = False
        self.check_network()

    def check_network(self) -> None:
        """Draw one image, and set `failure` if it is not finite."""
        settings = SamplingSettings(num_inference_steps=2)
        *_, last = self._pipeline.stream([0], [0], settings)
        if not last.clean.isfinite().all():
            self.failure = "the network's output is not a number"

    @contextmanager
    def track_request(self, operation: str) -> Iterator["Attempt"]:
        """Count, time and log a request, whatever its outcome."""
        attempt, outcome = Attempt(self, time.monotonic() + self._max_seconds), "failed"
        start = time.monotonic()
        try:
            yield attempt
            outcome = "done"
        except (GeneratorExit, StoppedError):
            outcome = "cancelled"
            raise
        except RequestEndedError:
            raise
        except UserError:
            outcome = "rejected"
            raise
        finally:
            self._record(operation, outcome, time.monotonic() - start, attempt.images)

    def count(self, outcome: str) -> None:
        """Count a request under one of OUTCOMES."""
        self._requests.labels(outcome).inc()

    def _record(self, operation: str, outcome: str, seconds: float, images: int) -> None:
        now = time.monotonic()
        self.count(outcome)
        if outcome == "done":
            self._durations.observe(seconds)
            with self._lock:
                self._seconds.append(seconds)
                self._images.append((now, images))
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "request": operation,
            "outcome": outcome,
            "seconds": round(seconds, 3),
            "images": images,
        }
        LOG.info(json.dumps(entry))

    def metrics(self) -> dict[str, Any]:
        """Return counts since the start, percentiles of durations, and images per second."""
        now = time.monotonic()
        with self._lock:
            while self._images and self._images[0][0] < now - RATE_SECONDS:
                self._images.popleft()
            images, seconds = sum(count for _, count in self._images), list(self._seconds)
        ventiles = statistics.quantiles(seconds, n=20, method="inclusive") if seconds[1:] else []
        value_of, name = self.registry.get_sample_value, "fashion_ddpm_requests_total"
        return {
            **{each: int(value_of(name, {"outcome": each}) or 0) for each in OUTCOMES},
            "p50_seconds": round(ventiles[9], 3) if ventiles else None,
            "p95_seconds": round(ventiles[18], 3) if ventiles else None,
            "images_per_second": round(images / RATE_SECONDS, 3),
        }


class Attempt:
    """A request that is being run.

    Attributes:
        images: number of finished images.
    """

    def __init__(self, monitor: Monitor, deadline: float) -> None:
        self._monitor, self._deadline = monitor, deadline
        self.images = 0

    def wrap_steps(self, steps: Iterator[DenoisingStep]) -> Iterator[DenoisingStep]:
        """Yield the steps of a trajectory, and check each for finite values and the time limit.

        Raises:
            RequestEndedError: the time is over, the memory full, or a value not finite.
        """
        clean = None
        while (step := self._next_step(steps)) is not None:
            if not step.clean.isfinite().all():
                self._monitor.check_network()
                if self._monitor.failure:
                    raise RequestEndedError(INTERNAL_ERROR)
                raise RequestEndedError(
                    "These settings produced invalid values (NaN); choose another noise schedule, "
                    "or fewer steps."
                )
            clean = step.clean
            yield step
            if time.monotonic() > self._deadline:
                raise RequestEndedError(
                    "The request took longer than a request may take here; ask for fewer images or "
                    "steps, or try again when fewer visitors are here."
                )
        self.images += 0 if clean is None else len(clean)

    def _next_step(self, steps: Iterator[DenoisingStep]) -> DenoisingStep | None:
        try:
            return next(steps, None)
        except torch.OutOfMemoryError as error:
            raise RequestEndedError("Out of memory; ask for fewer images.") from error
        except torch.AcceleratorError as error:  # later calls on this device fail too
            self._monitor.failure = f"the accelerator failed ({reason(error)})"
            raise RequestEndedError(INTERNAL_ERROR) from error


def start_log() -> None:
    """Log each request to stderr as a line of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk, say
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
