"""Behaviours by name: registered by an installed package, `module:Class`, or `path.py:Class`."""

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ..errors import ScenarioError, refuse
from .behaviour_text import parsed
from .named_classes import Catalogue
from .parameters import checked

if TYPE_CHECKING:
    from ...agents.behaviour import Behaviour

OWN = {
    "price_taker": "gridbazaar.agents.behaviour:PriceTaker",
    "PriceTaker": "gridbazaar.agents.behaviour:PriceTaker",
    "Shading": "gridbazaar.agents.behaviours.shading:Shading",
    "Withholding": "gridbazaar.agents.behaviours.withholding:Withholding",
    "ZeroIntelligence": "gridbazaar.agents.behaviours.zero_intelligence:ZeroIntelligence",
    "Inertial": "gridbazaar.agents.behaviours.inertial:Inertial",
    "LossAverse": "gridbazaar.agents.behaviours.loss_averse:LossAverse",
    "Learner": "gridbazaar.agents.behaviours.learner:Learner",
    "Colluders": "gridbazaar.agents.behaviours.colluders:Colluders",
    "Remote": "gridbazaar.agents.behaviours.remote:Remote",
}
"""Those that come with gridbazaar."""


_NAMED = Catalogue("behaviour", "gridbazaar.agents.Behaviour", "gridbazaar.behaviours", OWN)


def registered_behaviours() -> dict[str, str]:
    """The behaviours that can be named without a module: name and where each comes from."""
    return _NAMED.registered()


def make_behaviour(text: str, place: str, key: str) -> "Behaviour":
    """A new behaviour object.

    Args:
        text: A registered name, `module:Class` or `path.py:Class`, with parameters if there are any.
        place, key: Where it is named, for messages.

    Raises:
        ScenarioError: There is no such behaviour, or it is not a subclass of Behaviour, or cannot be made.
    """
    from ...agents.behaviour_errors import BehaviourError

    try:
        name, parameters = parsed(text)
    except ValueError as error:
        raise refuse(place, key, str(error)) from None
    made = find_behaviour(name, place, key)
    try:
        return made(**checked(made, parameters, place, key))
    except ScenarioError:
        raise
    except Exception as error:  # a user's code may raise anything; it is told with its place
        raise refuse(place, key, f"{made.__name__}() cannot be made: {BehaviourError.told(error)}") from error


def find_behaviour(name: str, place: str, key: str) -> "type[Behaviour]":
    """The class of a behaviour; as `make_behaviour`.

    Raises:
        ScenarioError: There is no such behaviour, or it is not a subclass of Behaviour.
    """
    from ...agents.behaviour import Behaviour

    made: type[Behaviour] = _NAMED.find(name, Behaviour, place, key)
    hooks = [hook for hook in vars(Behaviour) if not hook.startswith("_")]
    for method in vars(made):
        near = get_close_matches(method, hooks, n=1, cutoff=0.75)
        if near and method not in hooks:
            raise refuse(place, key, f"{made.__name__}.{method} overrides nothing; did you mean {near[0]}?")
    return made
