"""One market in which offers are told in one way: what it comes to, and what listeners find out of prosumers."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import Any

import pandas as pd

from ...market.energy_market import EnergyMarket
from ...market.hosting.message_log import PLATFORM
from ...network.errors import GridbazaarError
from ..files.loading import load
from ..files.scenario import Scenario
from ..runs.interrupts import interrupts
from ..runs.json_values import number
from ..runs.run import INTERRUPTED, exit_code
from ..sweeping.keeping import Row
from .attack import Fit, attack
from .overheard import Overheard
from .readings import partner_reads, platform_reads
from .scope import left_out
from .scores import Person, Score, taken_for
from .setting import MOST, Setting

PARTNER = "partner"
_FAILED = {2: "refused", 4: "infeasible"}


def run_setting(setting: Setting) -> Row:
    """Run a market, listen, and keep what it has brought; what fails is kept, too.

    An interrupt (Ctrl-C) ends it after the round under way; it is not kept then.
    """
    before = setting.kept()
    if before:
        return before
    try:
        with interrupts() as interrupted, redirect_stdout(sys.stderr):  # what behaviours print is no part of the table
            scenario = scenario_of(setting)
            with scenario.market(rng=scenario.seed + setting.seed) as market:
                ear = Overheard(market)
                while market.running and not interrupted():
                    market.step()
                if market.running:
                    return setting.row("interrupted", "stopped before its market had ended", INTERRUPTED)
                row = _outcome(setting, market)
        heard = ear.table()
        heard.to_parquet(setting.log, index=False)
        row["found"] = listened(scenario, heard)
    except GridbazaarError as error:
        row = setting.row(_FAILED.get(error.exit_code, "failed"), str(error), error.exit_code)
    return setting.keep(row)


def scenario_of(setting: Setting) -> Scenario:
    """The scenario with offers that are told like that.

    Raises:
        ScenarioError: The scenario is wrong, or offers cannot be told like that in it.
    """
    scenario = load(setting.scenario, setting.changes)
    if not setting.is_exact:
        usual = scenario.settings
        scenario = scenario.changed(**{key: min(most, getattr(usual, key)) for key, most in MOST.items()})
    scenario.check()
    return scenario


def listened(scenario: Scenario, heard: pd.DataFrame) -> list[dict[str, Any]]:
    """What the platform, and each partner, finds out of each prosumer: one row for each, ready for JSON.

    Args:
        scenario: Who there is in truth.
        heard: What was said, see `overheard`.
    """
    homes = {home.name: home for home in scenario.build_households()}
    people = {name: Person.of(home) for name, home in homes.items()}
    withdrawals = scenario.build_settings().withdrawals
    rows = []
    for name, truth in people.items():
        guess = Person.mean([other for key, other in people.items() if key != name])
        own = heard[heard["prosumer"] == name]
        if own.empty:
            continue
        read = [(PLATFORM, PLATFORM, platform_reads(own, withdrawals=withdrawals))]
        partners = own.loc[own["cap_kw"].notna(), "partner"].unique().tolist()
        read += [(PARTNER, partner, partner_reads(own, partner)) for partner in partners]
        for kind, listener, readings in read:
            who = {"kind": kind, "listener": listener, "prosumer": name, "left_out": left_out(homes[name], readings)}
            rows.append(who | _found(attack(readings), guess, truth))
    return rows


def _found(fit: Fit | None, guess: Person | None, truth: Person) -> dict[str, Any]:
    """What a listener has found out of a prosumer, and how far off that and a guess are."""
    taken, tells = taken_for(fit, guess), fit is not None
    found = {
        "alpha_usd_per_kw2h": fit.alpha_usd_per_kw2h if fit else None,
        "beta_usd_per_kwh": number(fit.high_usd_per_kwh) if fit else None,
        "misfit": fit.misfit if fit else None,
        "net_kw": [number(kw) for kw in taken.net_kw] if taken and tells else None,
    }
    errors = {f"{key}_error": error for key, error in asdict(Score.of(taken, truth)).items()}
    guessed = {f"{key}_guess_error": error for key, error in asdict(Score.of(guess, truth)).items()}
    return {**found, **errors, **guessed}


def _outcome(setting: Setting, market: EnergyMarket) -> Row:
    """What the market came to."""
    result = market.result()
    row = setting.row("settled" if result.settled else result.outcome.name.lower(), result.message, 0)
    return {
        **row,
        "exit_code": exit_code(result.outcome),
        "rounds": int(sum(result.sharing_rounds)),
        "clearings": result.clearings,
        "certificate_usd": number(result.certificate.total_usd),
        "welfare_usd": number(result.welfare_usd),
        "fees_usd": number(result.fees_usd),
    }
