"""Tests of how a library's error becomes part of a sentence."""

from fashion_ddpm.errors import MAX_REASON, reason


def test_a_reason_is_one_short_line() -> None:
    assert reason(OSError("first\n  second")) == "first second"
    assert len(reason(OSError("x" * 10_000))) == MAX_REASON + 1
    assert reason(ValueError()) == "ValueError"
