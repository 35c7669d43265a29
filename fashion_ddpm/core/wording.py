"""Numbers as text; small numbers do not become 0."""

import math


def quantity(count: int, noun: str) -> str:
    """Return "1 image" or "1,600 images"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def format_seconds(duration: float) -> str:
    """Return "2.3 s", or "< 0.1 s"."""
    return f"{duration:.1f} s" if duration >= 0.1 else "< 0.1 s"


def format_percent(share: float) -> str:
    """Return a share in [0, 1] as "0.63 %", or as "less than 0.01 %"."""
    return f"{100 * share:.2f} %" if share >= 1e-4 else "less than 0.01 %"


def whole_percent(value: float) -> str:
    """Return a probability as "97 %"."""
    return f"{100 * value:.0f} %"


def format_number(value: float) -> str:
    """Return a positive number with three digits and no exponent: "159", "0.143"."""
    if value < 0.001:
        return "less than 0.001"
    return f"{value:,.{max(2 - math.floor(math.log10(value)), 0)}f}"


def format_with_half_width(value: float, half_width: float) -> str:
    """Return a number ± its half width, rounded to two digits of the half width."""
    digits = max(1 - math.floor(math.log10(half_width)), 0)
    return f"{value:.{digits}f} ± {half_width:.{digits}f}"
