"""All limits of the server, with their units."""

import argparse
from dataclasses import dataclass
from typing import Any

from fashion_ddpm.core.requests import RequestError, check_integer
from fashion_ddpm.core.settings import ConfigError, add_flags, check_fields, setting

PAGE_MAX_IMAGES = 16
PAGE_MAX_STEPS = 100
"""Limits of one request to the page; the command line has none."""


@dataclass(frozen=True)
class ServerLimits:
    """Limits of the server; the command app has a flag for each."""

    max_concurrent_requests: int = setting(
        16, "requests that share the network; 1: they take turns", low=1, high=256
    )
    queue_size: int = setting(40, "requests that may wait; more are refused", low=1, high=10_000)
    max_evaluations: int = setting(
        1600,
        "UNet evaluations of a request: images × steps, twice that with guidance",
        low=1,
        high=1_000_000,
    )
    max_seconds: float = setting(300.0, "seconds that a request may run", low=0.1, high=86_400)
    drain_seconds: float = setting(
        30.0, "seconds that running requests are given when the server stops", low=0, high=3600
    )
    max_concurrent_per_visitor: int = setting(
        2, "requests of a visitor at once: one runs, one waits", low=1, high=10_000
    )
    max_concurrent_per_address: int = setting(
        8, "requests at once from one address, however many sit there", low=1, high=10_000
    )
    burst: int = setting(
        60, "requests from one address that may come at once", low=1, high=1_000_000
    )
    requests_per_minute: float = setting(
        60.0, "requests a minute from one address after that", low=0.001, high=1_000_000
    )
    max_body: int = setting(65_536, "bytes of a request's body", low=1024, high=16_000_000)
    max_upload: int = setting(
        1_000_000,
        "bytes of an upload: any picture made here; held in memory as it arrives",
        low=1024,
        high=64_000_000,
    )
    max_upload_side: int = setting(
        2048, "longest side of an uploaded picture, pixels", low=28, high=8192
    )
    body_timeout: float = setting(
        20.0, "seconds in which a request must have arrived", low=0.01, high=3600
    )
    max_temporary: int = setting(
        256_000_000,
        "bytes of temporary pictures; the oldest go first",
        low=1_000_000,
        high=1_000_000_000_000,
    )
    sessions: int = setting(256, "visitors whose newest result is remembered", low=1, high=100_000)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.max_upload > self.max_temporary:
            raise ConfigError(
                f"--max-upload is {self.max_upload}; it must be at most --max-temporary "
                f"({self.max_temporary}), or an upload would be removed before it is read."
            )


RENAMED_FLAGS = {
    "--places-a-visitor": "max_concurrent_per_visitor",
    "--places-an-address": "max_concurrent_per_address",
    "--max-pixels": "max_upload_side",
    "--a-minute": "requests_per_minute",
    "--visitors-at-once": "max_concurrent_requests",
    "--body-seconds": "body_timeout",
}
"""Deprecated flag → the limit that it sets; to be removed in the next release."""


def add_limit_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each limit, and the deprecated flags, which the help does not list."""
    add_flags(parser, ServerLimits)
    for old, name in RENAMED_FLAGS.items():
        type_ = type(getattr(ServerLimits, name))
        parser.add_argument(
            old, dest=name, type=type_, default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )


def check_work(evaluations: int, limits: ServerLimits) -> None:
    """Raise RequestError if a request needs more than max_evaluations."""
    if evaluations > limits.max_evaluations:
        raise RequestError(
            f"the request costs {evaluations:,} network evaluations (images × steps, twice that "
            f"with guidance); here it must be at most {limits.max_evaluations:,}: take fewer "
            "images or steps, or use the command generate."
        )


MORE_HINT = " (the command generate takes more)"


def check_size(num_images: Any, num_inference_steps: Any) -> None:
    """Raise RequestError if the number of images or steps is outside the page's sliders."""
    check_integer("num_images", num_images, 1, PAGE_MAX_IMAGES, MORE_HINT)
    check_integer("num_inference_steps", num_inference_steps, 1, PAGE_MAX_STEPS, MORE_HINT)
