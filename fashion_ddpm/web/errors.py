"""Errors of this package that the user can fix."""

from fashion_ddpm.core.errors import UserError


class WebError(UserError):
    """A static site cannot be written or served; the message says how to fix it."""
