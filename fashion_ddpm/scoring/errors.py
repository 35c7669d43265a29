"""The mistakes of this package that are the user's to fix."""

from fashion_ddpm.core.errors import UserError


class ScoringError(UserError):
    """A scorer or a classifier cannot be used; the message has the fix."""
