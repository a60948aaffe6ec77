"""Behaviours of the stepping tests."""

import numpy as np

from gridbazaar.agents import Behaviour


class Moody(Behaviour):
    """Believes what it draws, and remembers how often it was asked."""

    def __init__(self):
        self.asked = 0

    def believe(self, lmp_usd_per_kwh):
        self.asked += 1
        return lmp_usd_per_kwh * (1 + 1e-3 * self.rng.standard_normal() + 1e-5 * (self.asked % 7))


class Forgetful(Moody):
    """Answers by what it does not save."""

    calls = 0

    def believe(self, lmp_usd_per_kwh):
        type(self).calls += 1
        return lmp_usd_per_kwh + 1e-6 * type(self).calls

    def saved_state(self):
        return {}


class Unsaved(Moody):
    """Remembers what cannot be kept."""

    def __init__(self):
        super().__init__()
        self.memory = object()


class Dearer(Behaviour):
    """Believes that power costs three cents more."""

    def believe(self, lmp_usd_per_kwh):
        return np.asarray(lmp_usd_per_kwh) + 0.03


class Knows(Behaviour):
    """Remembers how much elastic load its household has."""

    def declare(self, household):
        self.most_kw = float(household.elastic_max_kw.max())
        return household
