"""Tests of the page's colours; test_page has all of them measured in a browser."""

import pytest

from fashion_ddpm.ui.style import theme


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb", as WCAG 2.1 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("text", "ground"),
    [("primary_700", "primary_100"), ("neutral_600", "neutral_50"), ("neutral_50", "primary_600")],
)
def test_text_stands_out_from_what_is_behind_it(text: str, ground: str) -> None:
    dark, light = sorted(luminance(getattr(theme(), name)) for name in (text, ground))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
