"""Errors of this package that the user can fix."""

from fashion_ddpm.core.errors import UserError


class CheckpointError(UserError):
    """A folder or a file cannot be downloaded, read or written.

    Checks of single files leave the folder's name and the full stop to their caller.
    """
