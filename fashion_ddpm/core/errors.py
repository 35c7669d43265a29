"""Errors that the user can fix: app.py and the commands print the message, no traceback."""

from collections.abc import Mapping
from types import MappingProxyType

MAX_REASON = 200
INTERRUPT_EXIT_STATUS = 130
"""Exit status after Ctrl-C, as shells have it."""


class UserError(Exception):
    """The message is one sentence that names the value, what is allowed and the fix."""

    def format_message(self, names: Mapping[str, str]) -> str:
        """Return the sentence with the names that whoever reads it gives to settings.

        Args:
            names: field of a request → its name on the page, in a program or on the command line.
        """
        return str(self)


def error_message(
    error: UserError | OSError, names: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return what a program prints of a UserError, or of an OSError about a path.

    Args:
        error: the failure.
        names: as UserError.format_message has it.

    Raises:
        OSError: the given one, when it names no path.
    """
    if isinstance(error, UserError):
        return error.format_message(names)
    if error.filename is None:
        raise error
    return (
        f"{str(error.filename)[:MAX_REASON]} cannot be used ({error.strerror}): name another path, "
        "or let this user read and write it."
    )


def reason(error: Exception) -> str:
    """Return what a library says of a failure, on one line and no longer than a sentence."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= MAX_REASON else text[:MAX_REASON] + "…"
