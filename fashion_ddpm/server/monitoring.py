"""Counts, latencies and time limits of requests, and whether the app can serve."""

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
"""Finished requests whose times the percentiles are taken from."""

BUCKET_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Seconds up to which Prometheus counts finished requests."""

RATE_SECONDS = 60.0
"""Images a second are counted over the last minute."""

LOG = logging.getLogger("fashion_ddpm.requests")

OUTCOMES = ("accepted", "done", "rejected", "cancelled", "failed")
"""What is counted: let in by the middleware, and how each of them ended; or turned away."""

INTERNAL_ERROR = "This failed here, and not because of what you asked for; please try again."


class RequestEndedError(UserError):
    """A request that had to be ended; the message says why in one sentence."""


class StoppedError(UserError):
    """A request that its visitor stopped, or replaced by a newer one; nothing went wrong."""


class Monitor:
    """What the app knows of its own state: requests so far, and whether it can serve more.

    Attributes:
        registry: the counts and times of requests, as Prometheus collects them.
        failure: why it cannot, or None.
        is_draining: whether it only finishes what it has begun.
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
            self._requests.labels(outcome)  # a count of 0 is listed too
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
        """Draw one image; the app is broken when it is not made of numbers."""
        settings = SamplingSettings(num_inference_steps=2)
        *_, last = self._pipeline.stream([0], [0], settings)
        if not last.clean.isfinite().all():
            self.failure = "the network's output is not a number"

    @contextmanager
    def track_request(self, operation: str) -> Iterator["Attempt"]:
        """Watch one request, whatever becomes of it."""
        attempt, outcome = Attempt(self, time.monotonic() + self._max_seconds), "failed"
        begin = time.monotonic()
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
            self._note(operation, outcome, time.monotonic() - begin, attempt.images)

    def count(self, what: str) -> None:
        """Count what happened to a request before, or instead of, being run."""
        self._requests.labels(what).inc()

    def _note(self, operation: str, outcome: str, seconds: float, images: int) -> None:
        now = time.monotonic()
        self.count(outcome)
        if outcome == "done":
            self._durations.observe(seconds)
            with self._lock:
                self._seconds.append(seconds)
                self._images.append((now, images))
        note = {
            "request": operation,
            "outcome": outcome,
            "seconds": round(seconds, 3),
            "images": images,
        }
        LOG.info(json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), **note}))

    def metrics(self) -> dict[str, Any]:
        """Return counts since the start, percentiles of seconds, and images a second."""
        now = time.monotonic()
        with self._lock:
            while self._images and self._images[0][0] < now - RATE_SECONDS:
                self._images.popleft()
            images, seconds = sum(count for _, count in self._images), list(self._seconds)
        parts = statistics.quantiles(seconds, n=20, method="inclusive") if seconds[1:] else []
        return {
            **{name: self._count_of(name) for name in OUTCOMES},
            "p50_seconds": round(parts[9], 3) if parts else None,
            "p95_seconds": round(parts[18], 3) if parts else None,
            "images_per_second": round(images / RATE_SECONDS, 3),
        }

    def _count_of(self, outcome: str) -> int:
        name, labels = "fashion_ddpm_requests_total", {"outcome": outcome}
        return int(self.registry.get_sample_value(name, labels) or 0)


class Attempt:
    """One request while it lasts.

    Attributes:
        images: how many were finished so far.
    """

    def __init__(self, monitor: Monitor, end: float) -> None:
        self._monitor, self._end = monitor, end
        self.images = 0

    def wrap_steps(self, steps: Iterator[DenoisingStep]) -> Iterator[DenoisingStep]:
        """Yield the steps of a trajectory, as long as there is time and they are numbers.

        Raises:
            RequestEndedError: the time is over, the memory is full, or a step is no image.
        """
        clean = None
        while (step := self._next(steps)) is not None:
            if not step.clean.isfinite().all():
                self._monitor.check_network()
                if self._monitor.failure:
                    raise RequestEndedError(INTERNAL_ERROR)
                raise RequestEndedError(
                    "These settings lead to values that are no numbers; choose another schedule, "
                    "or fewer steps."
                )
            clean = step.clean
            yield step
            self._check_time()
        self.images += 0 if clean is None else len(clean)

    def _check_time(self) -> None:
        if time.monotonic() > self._end:
            raise RequestEndedError(
                "The request took longer than a request may take here; ask for fewer images or "
                "steps, or try again when fewer visitors are here."
            )

    def _next(self, steps: Iterator[DenoisingStep]) -> DenoisingStep | None:
        try:
            return next(steps, None)
        except torch.OutOfMemoryError as error:
            raise RequestEndedError("The memory is full; ask for fewer images.") from error
        except torch.AcceleratorError as error:  # whatever comes after it on this device fails too
            self._monitor.failure = f"the accelerator failed ({reason(error)})"
            raise RequestEndedError(INTERNAL_ERROR) from error


def start_log() -> None:
    """Write a line of JSON for each request to the standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # as on a full disk
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
