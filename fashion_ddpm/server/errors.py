"""Errors of this package."""

from fashion_ddpm.core.errors import UserError


class ServerError(UserError):
    """The server cannot be started as configured; the message has the fix."""
