"""The mistakes that are the user's to fix: doors print one sentence, not a traceback."""

from collections.abc import Mapping

MAX_REASON = 200


class UserError(Exception):
    """The message is one sentence that names the value, what is allowed and the fix."""

    def said(self, names: Mapping[str, str]) -> str:
        """Return the sentence with the names that whoever reads it gives to settings.

        Args:
            names: field of a request → its name on the page, in a program or on the command line.
        """
        return str(self)


def reason(error: Exception) -> str:
    """Returns what a library says of a failure, on one line and no longer than a sentence."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= MAX_REASON else text[:MAX_REASON] + "…"
