"""The mistakes of this package that are the user's to fix."""

from fashion_ddpm.core.errors import UserError


class ServerError(UserError):
    """The server cannot be started as it was asked; the message has the fix."""
