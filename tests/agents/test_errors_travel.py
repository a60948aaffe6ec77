"""A refusal crosses a process boundary whole: its kind, its sentence, its facts."""

import pickle

import pytest

from gridbazaar.agents import BehaviourError, HouseholdError, HouseholdShortageError, LinkError


@pytest.fixture(params=["household", "shortage", "link", "behaviour"])
def error(request, home):
    return {
        "household": HouseholdError("a", "bus", "there is no bus z"),
        "shortage": HouseholdShortageError("a", 1, 60.0, 25.0, home()),
        "link": LinkError("a-b", "cap_kw", "cap_kw is odd"),
        "behaviour": BehaviourError("a", "Odd", "offer", "is odd"),
    }[request.param]


def test_pickles(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy).keys() == vars(error).keys()
