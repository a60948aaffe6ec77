"""What is kept of the rounds of a run, and that everything that reads them works with it, or says why not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market.rounds import Round
from gridbazaar.network.errors import InputError
from gridbazaar.scenarios.errors import ReplayError
from gridbazaar.scenarios.runs import running, summary
from gridbazaar.scenarios.runs.kept import ARRAYS, Kept, Notes, bytes_of_arrays
from gridbazaar.scenarios.runs.run import Run
from gridbazaar.scenarios.runs.running import run_scenario
from gridbazaar.scenarios.runs.tables_on_disk import read_rounds


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(folder: str, kept: Kept | None = None, watch: Callable[[Round], None] | None = None, **keys: Any) -> Run:
    Path(folder).mkdir(exist_ok=True)
    return run_scenario(gb.load("ieee33", keys), Path(folder), notes=Notes(kept), watch=watch)


def found(done: Run) -> dict[str, Any]:
    return {key: value for key, value in done.kpis.items() if key not in ("seconds", "results", "communities")}


def stop_after(rounds: int, folder: str, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    flag: list[bool] = []

    @contextmanager
    def pressed() -> Iterator[Callable[[], bool]]:
        yield lambda: bool(flag)

    def press(record: Round) -> None:
        if record.number == rounds:
            flag.append(True)

    with monkeypatch.context() as patched:
        patched.setattr(running, "interrupts", pressed)
        assert run(folder, kept, press).kpis["outcome"] == "interrupted"


def test_small_rounds_are_kept_whole_and_large_ones_as_one_row_of_numbers() -> None:
    assert run("small").kept is Kept.ALL
    assert set(read_rounds("small").column_names) >= set(ARRAYS)
    week = {f"profiles.{name}": [0.5] * 168 for name in gb.load("ieee33").profiles}
    assert bytes_of_arrays(gb.load("ieee33", week)) == 8 * 3 * (1 + 2 * 168 + 4 * 168)
    day, long = gb.load("ieee33"), gb.load("ieee33", {name: [0.5] * 2400 for name in week})
    assert (Kept.by_size(day), Kept.by_size(long)) == (Kept.ALL, Kept.SUMMARY)


def test_a_summary_has_the_numbers_and_sentences_of_whole_rounds() -> None:
    run("all", Kept.ALL)
    run("summary", Kept.SUMMARY)
    whole, short = (read_rounds(folder).to_pandas().drop(columns="seconds") for folder in ("all", "summary"))
    assert list(short) == [name for name in whole if name not in ARRAYS]
    assert short.equals(whole[list(short)])


def test_a_run_that_keeps_no_rounds_says_so_and_finds_the_same() -> None:
    done = run("none", Kept.NONE)
    assert found(done) == found(run("all"))
    assert not list(Path("none").glob("rounds*"))
    assert (Path("none") / "prosumers.parquet").is_file()
    with pytest.raises(
        InputError, match=r"^none holds no rounds; name a results folder, of a run without --record none"
    ):
        read_rounds("none")


@pytest.mark.parametrize("kept", Kept)
def test_a_run_goes_on_and_keeps_what_it_kept(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("whole", kept)
    stop_after(20, "stopped", kept, monkeypatch)
    done = run("stopped")
    assert done.kept is kept
    assert found(done) == found(whole)
    if kept is not Kept.NONE:
        one, other = (read_rounds(folder).to_pandas().drop(columns="seconds") for folder in ("whole", "stopped"))
        assert one.to_json() == other.to_json()


@pytest.mark.parametrize("kept", [Kept.ALL, Kept.SUMMARY])
def test_a_run_that_goes_on_otherwise_is_found_out(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridbazaar.market.checkpoints._EVERY_S", float("inf"))  # which would spare some rounds
    stop_after(20, "stopped", kept, monkeypatch)
    with pytest.raises(ReplayError, match="round 2 gives other numbers"):
        run("stopped", alpha_scale=2)


def test_where_no_rounds_are_kept_a_run_goes_on_from_its_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridbazaar.market.checkpoints._EVERY_S", 0.0)
    monkeypatch.setattr("gridbazaar.market.checkpoints._SHARE", 0.0)
    stop_after(20, "stopped", Kept.NONE, monkeypatch)
    numbers: list[int] = []
    done = run("stopped", watch=lambda record: numbers.append(record.number))
    assert numbers[0] == 21
    assert found(done) == found(run("whole", Kept.NONE))


def test_what_is_too_much_for_people_is_in_the_tables_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run("out")
    assert len(done.kpis["bid_kw"]["p1"]) == 24
    monkeypatch.setattr(summary, "_MOST_NUMBERS", 10)
    monkeypatch.setattr(summary, "_ROWS", 2)
    few = summary.kpis(done.result)
    assert [few[key] for key in ("lmp_usd_per_kwh", "elastic_load_kw", "bid_kw", "withdrawal_kw")] == [None] * 4
    assert few["payment_usd"] == done.kpis["payment_usd"]
    rows = summary.schedule_table(done.result, "title", None).rows
    assert [row[0] for row in rows] == ["p1", "2 more"]
    assert rows[1][1] == summary.energy(float(done.result.bid_kw[1:].sum()))
