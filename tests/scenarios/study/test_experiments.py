"""One experiment that fails takes nothing from the others; who works is told which one it is, of how many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market import Case
from gridbazaar.network.errors import SolverError
from gridbazaar.scenarios.study import figures, report
from gridbazaar.scenarios.study import study as studying
from gridbazaar.scenarios.study.experiments import Experiments
from gridbazaar.scenarios.study.findings import Study
from gridbazaar.scenarios.study.report import write_report
from gridbazaar.scenarios.study.statements import statements
from gridbazaar.scenarios.study.study import study


def test_every_experiment_is_told_of_once_in_its_order(paper: Study, told: list[str]) -> None:
    count = len(told)
    assert [line.split(": ")[0] for line in told] == [f"experiment {k} of {count}" for k in range(1, count + 1)]
    assert [line.split(": ", 1)[1] for line in told] == list(paper.seconds)


def test_the_count_is_right_where_the_own_method_is_the_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise SolverError("not now")

    monkeypatch.setattr(studying, "slopes", nothing)
    told: list[str] = []
    done = study(gb.load("ieee33", {"market.method": "plain"}), "plain", told.append)
    assert told[-1].startswith(f"experiment {len(told)} of {len(told)}: ")
    assert done.plain[1.5] is done.alphas[1.5]
    assert sorted(done.plain) == [0.3, 1.0, 1.5, 2.0]


def failing(error: BaseException) -> Experiments:
    """Five experiments of which the third fails."""

    def fail() -> int:
        raise error

    experiments = Experiments(["a", "b", "c", "d", "e"], lambda _: None)
    found = [experiments.needed("a", lambda: 1), experiments.possible("b", lambda: 2)]
    found += [
        experiments.possible("c", fail),
        experiments.possible("d", lambda: 4),
        experiments.possible("e", lambda: 5),
    ]
    assert found == ([1, 2, None, None, None] if experiments.interrupted else [1, 2, None, 4, 5])
    return experiments


def test_what_fails_is_left_out_with_its_sentence() -> None:
    assert failing(SolverError("the solver is tired")).left_out == {"c": "the solver is tired"}
    assert failing(ZeroDivisionError("by 0")).left_out == {
        "c": "it failed, which is a defect of gridbazaar (ZeroDivisionError: by 0)"
    }


def test_ctrl_c_leaves_out_the_rest() -> None:
    stopped = failing(KeyboardInterrupt())
    assert stopped.interrupted
    assert stopped.left_out == {
        "c": "the study was interrupted in it",
        "d": "the study was interrupted before it",
        "e": "the study was interrupted before it",
    }


def test_what_the_base_run_fails_with_is_the_studys() -> None:
    def fail() -> int:
        raise SolverError("there is no base")

    with pytest.raises(SolverError, match="there is no base"):
        Experiments(["a"], lambda _: None).needed("a", fail)


def test_a_page_of_the_base_run_alone(paper: Study, tmp_path: Path) -> None:
    """All other experiments have failed: the page says so, and has what the base run found."""
    bare = replace(
        paper,
        cases={Case.SHARING: paper.result},
        alphas={1.0: paper.base},
        plain={},
        cold=None,
        slopes=(),
        steady=None,
        cycling=None,
        simultaneous=None,
        sequential=None,
        wires={},
        left_out=dict.fromkeys([name for name in paper.seconds if name != "the base run"], "it was too hot"),
    )
    page = write_report(bare, tmp_path).read_text(encoding="utf-8")
    assert page.count("because it was too hot") == len(bare.left_out)
    assert "There is no Figure 2: " in page
    assert "There is no figure: none of these experiments could be made." in page
    figures_ = {file.stem for file in (tmp_path / "figures").glob("*.png")}
    assert figures_ == {"figure3_feeder", "figure4_outer", "figure9_alpha", "balance_p1", "balance_p2", "balance_p3"}
    assert len(statements(bare)) == 11


def test_a_figure_that_cannot_be_drawn_is_left_out_with_a_note(
    paper: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Study) -> None:
        raise ValueError("no ink")

    monkeypatch.setattr(figures, "outer_figure", broken)
    monkeypatch.setattr(report, "largest_traders", lambda *_: [])
    page = write_report(paper, tmp_path).read_text(encoding="utf-8")
    assert "figure4_outer could not be drawn, which is a defect of gridbazaar (ValueError: no ink)." in page
    assert (tmp_path / "figures" / "figure9_alpha.svg").exists()
    assert not (tmp_path / "figures" / "figure4_outer.svg").exists()


IMPOSSIBLE = {
    "somebody lives on links": (
        {"prosumers.p3.bid_max_kw": 0, "prosumers.p3.renewable_peak_kw": 0},
        "Left out: Case 1, because ",
    ),
    "the feeder needs sharing": (
        {"feeder.lines.6-26.p_max_kw": 800},
        "Left out: slopes of the LMPs at alpha x 1, because without sharing the market is infeasible: ",
    ),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_a_part_that_is_impossible_is_left_out_with_its_reason(what: str, tmp_path: Path) -> None:
    changes, reason = IMPOSSIBLE[what]
    page = write_report(study(gb.load("ieee33", changes), what), tmp_path).read_text(encoding="utf-8")
    assert reason in page
    assert "What the paper leaves open" in page
