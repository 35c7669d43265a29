"""Tests of error messages."""

import pytest

from fashion_ddpm.core.errors import MAX_REASON, UserError, error_message, reason


def test_a_reason_is_one_short_line() -> None:
    assert reason(OSError("first\n  second")) == "first second"
    assert len(reason(OSError("x" * 10_000))) == MAX_REASON + 1
    assert reason(ValueError()) == "ValueError"


def test_an_os_error_with_a_path_has_a_message_and_others_are_raised() -> None:
    assert error_message(UserError("as it is")) == "as it is"
    error = PermissionError(13, "Permission denied", "/somewhere/" + "x" * 300)
    message = error_message(error)
    assert message.startswith("/somewhere/xxx")
    assert "(Permission denied)" in message
    assert len(message) < 400
    with pytest.raises(BrokenPipeError):
        error_message(BrokenPipeError(32, "Broken pipe"))
