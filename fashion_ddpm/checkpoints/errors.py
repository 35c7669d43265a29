"""The mistakes of this package that are the user's to fix."""

from fashion_ddpm.core.errors import UserError


class CheckpointError(UserError):
    """A folder or a file cannot be fetched, read or written; the message has the fix.

    Checks of single files leave the folder's name and the full stop to whoever loads the folder.
    """
