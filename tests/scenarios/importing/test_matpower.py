"""MATPOWER cases: the code at their end is done, or refused by its line; numbers against those by hand."""

from __future__ import annotations

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.files.import_row import ImportRow
from gridbazaar.scenarios.importing.importing import import_network
from gridbazaar.scenarios.importing.matpower_text import apply_code, statements

CASE = """function mpc = tiny
%% a case of three buses; [brackets in a comment
mpc.version = '2';
mpc.baseMVA = 10;
mpc.bus = [  %% (Pd and Qd are in kW and kvar)
    1   3   0     0   0   0   1   1   0   12  1   1   1;
    7   1   1200  500 0   0   1   1   0   12  1   1.1 0.9;
    9   1   800   300 0   0   1   1   0   12  1   1.1 0.9;
];
mpc.gen = [
    1   0   0   10  -10 1   100 1   10  0   0   0   0   0   0   0   0   0   0   0   0;
];
mpc.branch = [  %% r and x in ohm
    1   7   0.6  0.3  0   0   0   0   0   0   1   -360    360;
    7   9   0.9  0.45 0   5   0   0   0   0   1   -360    360;
];
mpc.gencost = [
    2   0   0   3   0   20  0;
];
"""
CONVERSION = """
%% convert branch impedances from Ohms to p.u.
[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...
    VA, BASE_KV, ZONE, VMAX, VMIN] = idx_bus;
[F_BUS, T_BUS, BR_R, BR_X] = idx_brch;
Vbase = mpc.bus(1, BASE_KV) * 1e3;      %% in Volts
Sbase = mpc.baseMVA * 1e6;              %% in VA
mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);
mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;
"""
POWER_FACTOR = "pf = 0.8;\nmpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));\nmpc.bus(:, PD) = mpc.bus(:, PD) * pf;\n"


def imported(text, tmp_path):
    file = tmp_path / "tiny.m"
    file.write_text(text)
    return import_network(ImportRow(network=str(file), prosumers=2), tmp_path / "here")


def test_a_case_in_ohm_and_kw_is_converted_as_its_code_does(tmp_path):
    done = imported(CASE + CONVERSION, tmp_path)
    feeder = done.scenario.feeder
    first, second = feeder.lines["1-7"], feeder.lines["7-9"]
    assert (first.r_ohm, first.x_ohm, second.r_ohm, second.x_ohm) == pytest.approx((0.6, 0.3, 0.9, 0.45), rel=1e-9)
    assert first.i_max_a == np.inf
    assert second.i_max_a == pytest.approx(5e3 / (3**0.5 * 12))
    loads = {bus: row.p_kw for bus, row in feeder.buses.items()}
    for prosumer in done.scenario.prosumers.values():
        loads[prosumer.bus] += prosumer.fixed_peak_kw
    assert loads == pytest.approx({"1": 0, "7": 1200, "9": 800})
    assert (feeder.buses["7"].q_kvar, feeder.buses["9"].q_kvar) == pytest.approx((500, 300))
    assert feeder.generators["ext_grid 0"].b_usd_per_kwh == pytest.approx(0.02)
    said = done.network.remarks.approximations
    assert "tiny.m: r and x of branches are in ohm there, and divided by 14.4 ohm, as its code does" in said
    assert "tiny.m: loads are divided by 1000, as its code does" in said


def test_loads_that_are_apparent_powers():
    case = {"bus": np.zeros((1, 13)), "branch": np.zeros((1, 11)), "baseMVA": 1.0}
    case["bus"][0, 2] = 50.0
    (said,) = apply_code(case, POWER_FACTOR, "x.m")
    assert case["bus"][0, [2, 3]] == pytest.approx([40, 30])
    assert said == "loads are apparent powers there, of a power factor of 0.8"


def test_statements_are_told_apart_from_tables_comments_and_continued_lines():
    found = list(statements(CASE + CONVERSION))
    assert [number for number, text in found if not text.startswith("mpc.bus=[")][:3] == [1, 3, 4]
    lines = (CASE + CONVERSION).splitlines()
    for number, text in found:
        assert text[:4] == "".join(lines[number - 1].split())[:4] or text.startswith("function")
    assert [text for _, text in found][-2] == "mpc.branch(:,[BR_R,BR_X])=mpc.branch(:,[BR_R,BR_X])/(Vbase^2/Sbase)"


REFUSED = {
    "unknown code": (
        CASE + "mpc.bus(:, PD) = mpc.bus(:, PD) * 1.2;\n",
        ":20: this code is not understood: mpc.bus(:,PD)=",
    ),
    "nothing to divide by": (
        CASE + "mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 0;\n",
        ":20: this code cannot be done",
    ),
    "no tables": (
        "function mpc = x\nmpc.version = '2';\n",
        ": it is no MATPOWER case: it has no table mpc.bus; add it",
    ),
    "no branches": (
        CASE.replace("mpc.branch", "% mpc.branch"),
        ": it is no MATPOWER case: it has no table mpc.branch; add it",
    ),
    "an unknown bus": (
        CASE.replace("    7   9   0.9", "    7   8   0.9"),
        ": its tables name bus 8, which mpc.bus has not",
    ),
    "an expression": (
        CASE.replace("0   12  1   1.1", "0   135/sqrt(3)  1   1.1"),
        ": it is no MATPOWER case that can be read",
    ),
    "meshed": (
        (CASE + CONVERSION).replace("    7   9   0.9", "    1   9   0.9 0.9 0 0 0 0 0 0 1 0 0;\n    7   9   0.9"),
        "closes the loop",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_understood_is_refused(what, tmp_path):
    text, sentence = REFUSED[what]
    with pytest.raises(gb.ScenarioError) as refusal:
        imported(text, tmp_path)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_without_the_library_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("gridbazaar.scenarios.importing.matpower.find_spec", lambda _: None)
    with pytest.raises(
        gb.ScenarioError, match=r"matpowercaseframes, which is missing: pip install 'gridbazaar\[networks\]'"
    ):
        imported(CASE, tmp_path)
