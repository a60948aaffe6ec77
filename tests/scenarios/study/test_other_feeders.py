"""The study of feeders that are not the paper's, in the scenario's own method."""

from __future__ import annotations

from pathlib import Path

import pytest
from radial_scenarios import radial_scenario

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.__main__ import app
from gridbazaar.scenarios.study import study as studying
from gridbazaar.scenarios.study.report import write_report
from gridbazaar.scenarios.study.study import study


def test_a_low_voltage_day_of_quarter_hours(tmp_path: Path) -> None:
    file = radial_scenario(tmp_path / "lv.yaml", buses=5, prosumers=8, periods=96, low_voltage=True)
    done = study(gb.load(str(file)), "lv")
    assert done.left_out == {}
    assert done.result.settled
    assert done.method == "newton"
    assert done.slopes[0].tried.size == 24
    assert done.slopes[0].movers.size == 4
    page = write_report(done, tmp_path).read_text(encoding="utf-8")
    assert "could not be drawn" not in page
    assert "The 6 prosumers that trade most are shown." in page


def test_where_the_papers_fixed_point_goes_round_all_else_is_there(tmp_path: Path) -> None:
    file = radial_scenario(tmp_path / "mv.yaml", buses=6, prosumers=4, periods=4, low_voltage=False)
    done = study(gb.load(str(file), {"alpha_scale": 0.3, "market.network_use": "bids"}), "mv")
    assert done.result.settled
    assert not done.plain[1.0].result.settled
    why = "the paper's fixed point (plain) at alpha x 1 has not settled"
    assert {part for part, reason in done.left_out.items() if reason == why} == {
        f"the paper's fixed point (plain) at alpha x {scale}" for scale in ("1.5", "2", "0.3")
    }
    assert sorted(done.alphas) == [1.0, 1.5, 2.0]


def test_the_command_writes_the_page_tells_where_it_is_and_ends_as_the_base_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = radial_scenario(tmp_path / "mv.yaml", buses=4, prosumers=2, periods=3, low_voltage=False)
    words = ["study", str(file), "-o", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as ended:
        app(words)
    assert ended.value.code == 0
    out, err = capsys.readouterr()
    assert out.endswith(f"settled: nobody gains by deviating\nreport: {tmp_path / 'out' / 'report.html'}\n")
    assert "experiment 1 of 18: the base run\n" in err
    with pytest.raises(SystemExit) as ended:
        app(
            [
                *words[:-1],
                str(tmp_path / "again"),
                "--set",
                "market.max_iterations=2",
                "--set",
                "market.regret_tolerance=1e-12",
            ]
        )
    assert ended.value.code == 3
    assert (tmp_path / "again" / "report.html").exists()


def test_ctrl_c_leaves_a_page_of_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(studying, "_cold", interrupted)
    file = radial_scenario(tmp_path / "mv.yaml", buses=4, prosumers=2, periods=3, low_voltage=False)
    with pytest.raises(SystemExit) as ended:
        app(["study", str(file), "-o", str(tmp_path / "out")])
    assert ended.value.code == 130
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Left out: Algorithm 1 from a cold start, because the study was interrupted in it" in page
    assert "Left out: order jacobi, because the study was interrupted before it" in page
    assert (tmp_path / "out" / "figures" / "figure4_outer.svg").exists()
