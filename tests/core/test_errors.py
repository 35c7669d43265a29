"""Tests of how a library's error becomes part of a sentence."""

import pytest

from fashion_ddpm.core.errors import MAX_REASON, UserError, error_message, reason


def test_a_reason_is_one_short_line() -> None:
    assert reason(OSError("first\n  second")) == "first second"
    assert len(reason(OSError("x" * 10_000))) == MAX_REASON + 1
    assert reason(ValueError()) == "ValueError"


def test_a_path_that_cannot_be_used_is_told_in_one_sentence_and_other_failures_are_not() -> None:
    assert error_message(UserError("as it is")) == "as it is"
    error = PermissionError(13, "Permission denied", "/somewhere/" + "x" * 300)
    told = error_message(error)
    assert told.startswith("/somewhere/xxx")
    assert "(Permission denied)" in told
    assert len(told) < 400
    with pytest.raises(BrokenPipeError):
        error_message(BrokenPipeError(32, "Broken pipe"))
