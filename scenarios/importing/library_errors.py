"""What a library that fails on a file says of it, as far as that is of the file and not of the library."""

from __future__ import annotations

_OWN_CODE = (AttributeError, TypeError, KeyError, IndexError)
"""What Python raises where code looks for what is not there: the sentence names the code's own objects."""


def reason_of(error: Exception) -> str:
    """The reason in brackets, after a space; nothing where it is of the library's own code."""
    if isinstance(error, _OWN_CODE):
        return ""
    return f" ({' '.join(str(error).split())[:200] or type(error).__name__})"
