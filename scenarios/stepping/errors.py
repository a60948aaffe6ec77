"""What a session refuses."""

from ...network.errors import InputError


class SessionError(InputError):
    """A command, a condition or a place that a session does not know, or cannot go to; the sentence says the cure."""
