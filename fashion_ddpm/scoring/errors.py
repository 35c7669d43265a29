"""The errors of this package that a user can fix."""

from fashion_ddpm.core.errors import UserError


class ScoringError(UserError):
    """A scorer or a classifier cannot be used; the message has the fix."""
