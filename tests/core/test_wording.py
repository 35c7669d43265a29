"""Tests of numbers as text."""

import pytest

from fashion_ddpm.core import wording


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (wording.quantity(1, "image"), "1 image"),
        (wording.quantity(0, "step"), "0 steps"),
        (wording.quantity(1600, "step"), "1,600 steps"),
        (wording.format_seconds(0.02), "< 0.1 s"),
        (wording.format_seconds(2.34), "2.3 s"),
        (wording.format_percent(4.3e-14), "less than 0.01 %"),
        (wording.format_percent(0.0063), "0.63 %"),
        (wording.format_number(159.2), "159"),
        (wording.format_number(20_291), "20,291"),
        (wording.format_number(6.1834), "6.18"),
        (wording.format_number(0.0064), "0.00640"),
        (wording.format_number(1e-9), "less than 0.001"),
        (wording.format_with_half_width(8.199e-05, 0.0004), "0.00008 ± 0.00040"),
        (wording.format_with_half_width(-0.0002949, 0.00035), "-0.00029 ± 0.00035"),
        (wording.format_with_half_width(94.31, 12.0), "94 ± 12"),
    ],
)
def test_numbers_have_fixed_digits_and_the_right_plural(text: str, expected: str) -> None:
    assert text == expected
