"""Tests of how numbers stand in sentences."""

import pytest

from fashion_ddpm.core.wording import counted, figure, percent, seconds, with_half_width


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (counted(1, "image"), "1 image"),
        (counted(0, "step"), "0 steps"),
        (counted(1600, "step"), "1,600 steps"),
        (seconds(0.02), "< 0.1 s"),
        (seconds(2.34), "2.3 s"),
        (percent(4.3e-14), "less than 0.01 %"),
        (percent(0.0063), "0.63 %"),
        (figure(159.2), "159"),
        (figure(20_291), "20,291"),
        (figure(6.1834), "6.18"),
        (figure(0.0064), "0.00640"),
        (figure(1e-9), "less than 0.001"),
        (with_half_width(8.199e-05, 0.0004), "0.00008 ± 0.00040"),
        (with_half_width(-0.0002949, 0.00035), "-0.00029 ± 0.00035"),
        (with_half_width(94.31, 12.0), "94 ± 12"),
    ],
)
def test_numbers_have_fixed_digits_and_their_nouns_number(shown: str, expected: str) -> None:
    assert shown == expected
