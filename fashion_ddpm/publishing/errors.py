"""Errors of this package that the user can fix."""

from fashion_ddpm.core.errors import UserError


class PublishingError(UserError):
    """A checkpoint or a Space cannot be published; the message says how to fix it."""
