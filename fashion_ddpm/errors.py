"""The mistake of a user or of a file: one sentence with the value, what is allowed, the fix."""


class UserError(Exception):
    """Base of every error that a door (page, API, command line) shows as one sentence."""
