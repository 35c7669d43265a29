"""Errors that the user can fix: programs print their message without a traceback."""

from collections.abc import Mapping
from types import MappingProxyType

from fashion_ddpm.core.paths import INSTALLED_ROOT, ROOT

MAX_REASON = 200
INTERRUPT_EXIT_STATUS = 130
"""Exit status after Ctrl-C: 128 + SIGINT, as in shells."""


class UserError(Exception):
    """An error whose message is one sentence with the value, what is allowed and the fix."""

    def format_message(self, names: Mapping[str, str]) -> str:
        """Return the message with the names of settings that its reader knows.

        Args:
            names: field of a request → its name on the page, in the API or on the command line.
        """
        return str(self)


def error_message(
    error: UserError | OSError, names: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the message of a UserError, or of an OSError about a path.

    Args:
        error: the error.
        names: see UserError.format_message.

    Raises:
        OSError: the given error, if it has no path.
    """
    if isinstance(error, UserError):
        return error.format_message(names)
    if error.filename is None:
        raise error
    return (
        f"{str(error.filename)[:MAX_REASON]} cannot be used ({error.strerror}): name another path, "
        "or let this user read and write it."
    )


def missing_package_message(error: ModuleNotFoundError, extra: str) -> str:
    """Return which extra of fashion-ddpm installs the package that is missing.

    Args:
        error: the error of the import.
        extra: the extra, or several with commas between them.

    Raises:
        ModuleNotFoundError: the given error, if it is about a module of fashion_ddpm.
    """
    package = (error.name or "fashion_ddpm").split(".")[0]
    if package == "fashion_ddpm":
        raise error
    if ROOT != INSTALLED_ROOT:  # a clone
        target = "web" if "web" in extra.split(",") else "app"
        return f"the package {package} is not installed; run make {target}, and use its .venv."
    return f'the package {package} is not installed; run pip install "fashion-ddpm[{extra}]".'


def reason(error: Exception) -> str:
    """Return a library's error message on one line, at most MAX_REASON characters long."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= MAX_REASON else text[:MAX_REASON] + "…"
