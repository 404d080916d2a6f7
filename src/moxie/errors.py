"""The one exception a user is meant to read."""


class InputError(ValueError):
    """Something the user gave cannot be used; the message says which key or file, what was found and what to do."""
