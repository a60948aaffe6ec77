"""What is wrong with a behaviour, or with an answer of it."""

import traceback

from ..network.errors import InputError

_LONGEST = 500
"""Characters of what a behaviour says of its error."""


class BehaviourError(InputError):
    """A behaviour raised an error, or answered what no prosumer can do.

    Attributes:
        prosumer: Whose behaviour it is.
        behaviour: Name of its class.
        verb: The method, such as "offer".
        problem: What is wrong, without the place.
    """

    def __init__(self, prosumer: str, behaviour: str, verb: str, problem: str) -> None:
        super().__init__(prosumer, behaviour, verb, problem)
        self.prosumer, self.behaviour, self.verb, self.problem = prosumer, behaviour, verb, problem

    def __str__(self) -> str:
        return f"behaviour {self.behaviour} of {self.prosumer}, in {self.verb}(): {self.problem}"

    @staticmethod
    def told(error: BaseException) -> str:
        """What a behaviour raised and where, as one line."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        try:
            said = str(error)
        except Exception:  # a class of a user's own may raise here, too
            said = "its message cannot be read"
        return f"{type(error).__name__}: {said[:_LONGEST]} (at {frame.filename}:{frame.lineno})"


class AnswerError(Exception):
    """An answer that cannot be taken, in a sentence without its place; it is told as a `BehaviourError`, or contained.

    A behaviour may raise it, to be told without the line of its code.
    """
