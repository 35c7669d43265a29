"""The mistakes of this package that are the user's to fix."""

from fashion_ddpm.core.errors import UserError


class PublishingError(UserError):
    """A checkpoint or a Space cannot be published; the message has the fix."""
