"""The one exception a user is meant to read, and what its messages are made of."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave cannot be used; the message says which key or file, what was found and what to do."""


def nearest(word: str, choices: Iterable[object]) -> str:
    """Return " Did you mean `...`?" for the nearest of some names, or nothing when none is near."""
    matches = difflib.get_close_matches(str(word), [str(choice) for choice in choices], n=1, cutoff=0.5)
    return f" Did you mean `{matches[0]}`?" if matches else ""
