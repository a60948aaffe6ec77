"""What a person reads at the end of a run: names as written, numbers that fit, nothing cut and nothing wrapped."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from two_homes import FEEDER

from gridbazaar.scenarios.runs.amounts import counted, dollars, energy, listed, money
from gridbazaar.scenarios.runs.fitting import Column, FittingTable

TWO_HOMES = """
title: "Prices [/kWh] study"
profiles: {sun: [0.0, 0.6, 0.9, 0.2]}
"""
TWO_HOMES += FEEDER
TWO_HOMES += """
prosumers:
  "home[pv]": {bus: a, alpha_usd_per_kw2h: 0.02, beta_usd_per_kwh: 0.5, elastic_max_kw: 8, bid_max_kw: 15,
               fixed_peak_kw: 2, renewable: sun, renewable_peak_kw: 9}
  "home[red]": {bus: b, alpha_usd_per_kw2h: 0.02, beta_usd_per_kwh: 0.4, elastic_max_kw: 8, bid_max_kw: 15,
                fixed_peak_kw: 3}
links:
  ann-bob: {a: "home[pv]", b: "home[red]", cap_kw: 6}
market: {network_use: bids}
"""


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    Path("homes.yaml").write_text(TWO_HOMES)
    return tmp_path


def told(*words: str, code: int = 0) -> tuple[str, str]:
    command = [sys.executable, "-m", "gridbazaar.scenarios", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usd", "within", "text"),
    [
        (1.2911, 0, "$1.29"),
        (15614.22, 0.0028, "$15,614"),
        (-12299.4, 0.0028, "-$12,299"),
        (-0.004, 0, "-$0.0040"),
        (-1e-9, 0, "$0"),
        (0.0, 0, "$0"),
        (999.996, 0, "$1,000.00"),
        (14.7557, 0.05, "$14.8"),
        (15614.22, 30.0, "$15,600"),
        (-0.2, 3.0, "$0"),
        (1.2911, float("inf"), "$1.29"),
        (1.2911, float("nan"), "$1.29"),
        (float("nan"), 0, "an unknown amount"),
    ],
)
def test_money_has_the_digits_that_fit_and_none_that_are_not_known(usd: float, within: float, text: str) -> None:
    assert dollars(usd, within) == text


def test_energy_has_three_digits_at_least() -> None:
    told = [energy(kwh) for kwh in (10_412.3, 24.26, 1.2, 0.1504, -0.0, -1e-8, -3.14159)]
    assert told == ["10,412", "24.3", "1.20", "0.150", "0", "0", "-3.14"]
    assert money(-0.0) == "0"


def test_one_is_one() -> None:
    assert (counted(1, "clearing"), counted(2, "clearing")) == ("1 clearing", "2 clearings")
    assert (counted(1, "bus", "buses"), counted(1200, "bus", "buses")) == ("1 bus", "1,200 buses")
    assert listed([29, 13, 0]) == "[29, 13, 0]"
    assert listed(list(range(40))) == "[0, 1, 2, 3, ..., 39]"


# --- tables ----------------------------------------------------------------------------------------------------------

TABLE = FittingTable(
    "a [/title] that is longer than the table", (Column("who"), Column("cost", "$")), [("home[pv]", "-1,774.25")]
)


def printed(width: int, *, terminal: bool) -> list[str]:
    console = Console(width=width, force_terminal=terminal, color_system=None, legacy_windows=False, _environ={})
    with console.capture() as capture:
        console.print(TABLE, soft_wrap=not terminal)
    return capture.get().splitlines()


def test_a_table_is_whole_or_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert any("home[pv]  -1,774.25" in line for line in printed(40, terminal=True))
    narrow = printed(19, terminal=True)
    assert " ".join(" ".join(narrow).split()).endswith("home[pv]: cost -$1,774.25")
    assert max(map(len, narrow)) <= 19
    piped = printed(10, terminal=False)
    assert piped[0] == "a [/title] that is longer than the table"
    assert any("home[pv]  -1,774.25" in line for line in piped)


# --- runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("homes")
def test_names_and_titles_are_shown_as_written() -> None:
    out, err = told("run", "homes.yaml", "--no-ac", "-v", "--message-log")
    assert out.startswith("Prices [/kWh] study\n")
    for name in ("home[pv]", "home[red]"):
        assert name in out
    assert "home[pv]-home[red] in period" in err


def test_nothing_is_wrapped_where_there_is_no_terminal(homes: Path) -> None:
    folder = homes / ("a-very-long-name-of-a-folder-" * 4)
    out, err = told("run", "homes.yaml", "--no-ac", "-o", str(folder))
    assert f"\nresults: {folder}\n" in out
    assert all(line.startswith("step ") for line in err.splitlines())
    (said,) = (line for line in out.splitlines() if line.startswith("DSO cost"))
    assert re.match(  # the cost is known to a cent, about
        r"DSO cost \$14\.7[56], welfare \$0\.22 \(utility less DSO cost\); losses 0\.16\d kWh, lowest voltage 0\.", said
    )


@pytest.mark.usefixtures("homes")
@pytest.mark.parametrize("tolerance", ["1e-6", "1e-11"])
def test_no_digit_of_the_dso_s_cost_is_wrong(tolerance: str) -> None:
    """The welfare is known to R, the cost to about its square root: scenarios/ieee33/README.md has the truth."""
    out, _ = told("run", "ieee33", "--no-ac", "--set", f"market.regret_tolerance={tolerance}")
    found = re.search(r"DSO cost \$([\d,]+), welfare -\$12,299 ", out)
    assert found, out
    shown = found[1].replace(",", "")
    unit = 10 ** (len(shown) - len(shown.rstrip("0")))
    assert abs(int(shown) - 15_614.36) <= unit / 2
    assert unit == (100 if tolerance == "1e-6" else 1)


@pytest.mark.usefixtures("homes")
def test_digits_of_what_each_pays_are_right() -> None:
    """To the dollar at the usual tolerance, as a run that is 100,000 times closer says; there to cents."""
    usual, close = (
        [
            line.split()
            for line in told("run", "ieee33", "--no-ac", "--set", f"market.regret_tolerance={part}")[0].splitlines()
        ]
        for part in ("1e-6", "1e-11")
    )
    amounts = [{row[0]: row[5:8] for row in rows if row and row[0] in ("p1", "p2", "p3")} for rows in (usual, close)]
    assert list(amounts[0]) == ["p1", "p2", "p3"]
    for name, shown in amounts[0].items():
        known = [float(usd.replace(",", "")) for usd in amounts[1][name]]
        assert not any("." in usd for usd in shown)
        assert [int(usd.replace(",", "")) for usd in shown] == pytest.approx(known, abs=1.0)
    assert any("." in usd for row in amounts[1].values() for usd in row)


def test_of_a_run_that_has_not_settled_the_state_is_named_and_is_that_of_the_key_figures(homes: Path) -> None:
    """No digit is left out because the optimum may be far off: it is a figure of the schedule that there is."""
    words = ("--set", "market.max_iterations=2", "--set", "market.max_rounds=3", "-o", str(homes / "run"))
    out, _ = told("run", "homes.yaml", "--no-ac", *words, code=3)
    kpis = json.loads((homes / "run" / "kpis.json").read_text())
    assert kpis["regret_usd"] > 0.1
    assert (
        f"DSO cost {dollars(kpis['dso_cost_usd'])}, welfare {dollars(kpis['welfare_usd'])} (utility less DSO cost), "
        "both of the schedule in force at the end, as in kpis.json; losses "
    ) in out


@pytest.mark.usefixtures("homes")
def test_few_columns_get_lines_instead_of_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out, _ = told("run", "homes.yaml", "--no-ac")
    (said,) = (line for line in out.splitlines() if line.startswith("home[pv]: "))
    assert said.startswith("home[pv]: bids 43.2 kWh, bought 0 kWh, sold 24.0 kWh, elastic 26.5 kWh, cost $0.48, paym")
    assert "total -$5.16" in said


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
@pytest.mark.usefixtures("homes")
def test_on_a_narrow_terminal_nothing_is_cut() -> None:
    from pty import openpty
    from threading import Thread

    ours, theirs = openpty()
    parts: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(ours, 4096):
                parts.append(part)
        except OSError:  # the terminal is closed
            return

    reader = Thread(target=read)
    reader.start()
    words = [sys.executable, "-m", "gridbazaar.scenarios", "run", "homes.yaml", "--no-ac", "-o", "x" * 60]
    environment = {**os.environ, "COLUMNS": "40", "TERM": "xterm", "NO_COLOR": "1"}
    subprocess.run(words, stdout=theirs, stderr=subprocess.DEVNULL, check=True, timeout=120, env=environment)
    os.close(theirs)
    reader.join(10)
    lines = re.sub(r"\x1b\[[0-9;]*m|\r", "", b"".join(parts).decode()).splitlines()
    assert lines[-1] == f"results: {'x' * 60}"  # the terminal breaks it, so that it can be copied as one
    assert max(map(len, lines[:-1])) <= 40
    assert "…" not in "".join(lines)
    assert "total -$5.16, regret" in " ".join(" ".join(lines).split())


@pytest.mark.usefixtures("homes")
def test_what_the_network_carries_and_charges_is_said() -> None:
    out, _ = told("run", "homes.yaml", "--no-ac", "-o", "bids")
    assert "the network carries bids; trades are contracts that load no wire (market.network_use bids)\n" in out
    assert "charges" not in out
    words = ("market.network_use=withdrawals", "links.ann-bob.fee_usd_per_kwh=0.01", "feeder.lines.a-b.p_max_kw=8")
    fee = ("links.ann-bob.cap_kw=1", "prosumers.home[red].grid_fee_usd_per_kwh=0.1")
    out, _ = told("run", "homes.yaml", "--no-ac", "-o", "wires", *(f"--set={word}" for word in words + fee))
    assert "the network carries bids and trades (market.network_use withdrawals) and charges $" in out
    assert "; fees: grid $" in out
    kpis = json.loads(Path("wires/kpis.json").read_text())
    prosumers, trades = (pd.read_parquet(f"wires/{table}.parquet") for table in ("prosumers", "trades"))
    assert kpis["network_use"] == "withdrawals"
    assert kpis["network_charge_usd"] == pytest.approx(trades.network_charge_usd.sum())
    assert kpis["sharing_fee_usd"] == pytest.approx(0.01 * trades.trade_kw.abs().sum())
    bought = prosumers[prosumers.prosumer == "home[red]"].bid_kw.clip(lower=0).sum()
    assert kpis["grid_fee_usd"] == pytest.approx(0.1 * bought)
    bills = pd.read_parquet("wires/bills.parquet")
    assert bills[bills.item == "grid fee"].amount_usd.max() == pytest.approx(0.1 * bought, abs=0.006)
    assert round(bills.amount_usd.sum(), 6) == 0


@pytest.mark.usefixtures("homes")
def test_one_generator_is_one() -> None:
    out, _ = told("validate", "homes.yaml")
    assert "3 buses, 2 lines, 1 generator, 2 prosumers, 1 link, 4 periods of 1 h" in out


@pytest.mark.usefixtures("homes")
def test_kpis_say_how_much_of_their_own_power_prosumers_use() -> None:
    told("run", "homes.yaml", "--no-ac", "-o", "out")
    kpis, table = json.loads(Path("out/kpis.json").read_text()), pd.read_parquet("out/prosumers.parquet")
    assert table.bid_kw.min() >= 0  # nothing is fed in, so what is not curtailed is used here
    assert kpis["self_consumption"] == pytest.approx(1 - table.curtailed_kw.sum() / table.renewable_kw.sum())
    load = table.fixed_kw.sum() + table.elastic_kw.sum()
    assert kpis["self_sufficiency"] == pytest.approx((load - table.bid_kw.sum()) / load)
    told("run", "homes.yaml", "--no-ac", "-o", "dark", "--set", "prosumers.home[pv].renewable_peak_kw=0")
    dark = json.loads(Path("dark/kpis.json").read_text())
    assert dark["self_consumption"] is None
    assert dark["self_sufficiency"] == pytest.approx(0, abs=1e-6)
