"""What a run leaves in its folder when somebody, or something, gets in its way: Ctrl-C, a second run, a full disk."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market.columns import Columns
from gridbazaar.market.energy_market import EnergyMarket
from gridbazaar.market.rounds import Phase, Round
from gridbazaar.network.ac_replay import AcReplay
from gridbazaar.network.errors import InputError, SolverError
from gridbazaar.scenarios.errors import ResultsError
from gridbazaar.scenarios.runs import recorder, running
from gridbazaar.scenarios.runs.folders import new_folder
from gridbazaar.scenarios.runs.recorder import Origin, Recorder
from gridbazaar.scenarios.runs.running import Run, run_scenario
from gridbazaar.scenarios.runs.streams import Stream
from gridbazaar.scenarios.runs.tables_on_disk import read_rounds

TABLES = ("prosumers", "trades", "prices", "generators", "buses", "lines", "bills")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def manifest(folder: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(Path(folder, "manifest.json").read_text())
    return told


def kpis(folder: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(Path(folder, "kpis.json").read_text())
    return told


def run(folder: str = "out", **options: Any) -> Run:
    return run_scenario(gb.load("ieee33"), new_folder("x", Path(folder)), **options)


def busy(folder: str) -> bool:
    try:
        with Recorder(Path(folder), gb.load("ieee33")):
            return False
    except InputError as error:
        return "is still going on in another process" in str(error)


# --- one writer ------------------------------------------------------------------------------------------------------


def test_the_folder_is_locked_from_the_first_line_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def spied(name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        def spy(*args: Any, **named: Any) -> Any:
            seen[f"before {name}"] = busy("out")
            done = do(*args, **named)
            seen[f"after {name}"] = busy("out")
            return done

        return spy

    monkeypatch.setattr(Recorder, "finish", spied("tables", Recorder.finish))
    monkeypatch.setattr(running, "replay_ac", spied("replay", running.replay_ac))
    run(replay=True)
    assert seen == dict.fromkeys(("before tables", "after tables", "before replay", "after replay"), True)
    assert not Path("out", ".lock").exists()
    assert not busy("out")


def test_a_run_that_has_ended_meanwhile_is_not_begun_anew() -> None:
    run()
    before = manifest("out")
    sentence = r"^the run in out has ended \(settled\); there is nothing to resume, run it anew$"
    with pytest.raises(InputError, match=sentence):
        run_scenario(gb.load("ieee33"), Path("out"))
    assert manifest("out") == before
    with pytest.raises(InputError, match="has ended"):  # the lock was given back
        run_scenario(gb.load("ieee33"), Path("out"))


# --- Ctrl-C ----------------------------------------------------------------------------------------------------------


@contextmanager
def pressed(flag: list[bool]) -> Iterator[Callable[[], bool]]:
    yield lambda: bool(flag)


@pytest.mark.parametrize("delivery", [1, 2])
def test_an_interrupted_run_is_recorded_as_interrupted_with_all_its_rounds(
    delivery: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two deliveries the last is followed by a clearing that settles the market: it is not to be announced."""
    flag: list[bool] = []
    deliveries: list[int] = []
    computed: list[int] = []
    step = EnergyMarket.step

    def counted(market: EnergyMarket) -> None:
        step(market)
        computed.append(market.rounds)

    def watch(record: Round) -> None:
        deliveries.extend([record.number] if record.phase is Phase.DELIVERY else [])
        flag.extend([True] if len(deliveries) == delivery else [])

    monkeypatch.setattr(EnergyMarket, "step", counted)
    monkeypatch.setattr(running, "interrupts", lambda: pressed(flag))
    done = run(watch=watch)
    assert len(deliveries) == delivery
    assert done.exit_code == 130
    assert manifest("out")["outcome"] == kpis("out")["outcome"] == "interrupted"
    assert not kpis("out")["settled"]
    assert manifest("out")["message"] == "not finished: the run was stopped before the market settled"
    assert read_rounds("out")["number"].to_pylist() == computed


def test_a_second_ctrl_c_is_recorded_as_one() -> None:
    def press(record: Round) -> None:
        if record.number == 4:
            raise KeyboardInterrupt(2)

    with pytest.raises(KeyboardInterrupt):
        run(watch=press)
    assert manifest("out")["outcome"] == "interrupted"
    assert manifest("out")["message"] == "interrupted in the middle of a round"
    assert len(read_rounds("out")) == 4


# --- the AC power flow -----------------------------------------------------------------------------------------------


def test_a_replay_that_fails_takes_nothing_from_a_settled_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> AcReplay:
        assert all(Path("out", f"{name}.parquet").is_file() for name in TABLES)
        assert kpis("out")["outcome"] == "settled"
        raise SolverError("the AC power flow of period 1 does not converge")

    monkeypatch.setattr(running, "replay_ac", fails)
    done = run(replay=True)
    assert done.exit_code == 0
    assert (manifest("out")["outcome"], kpis("out")["outcome"]) == ("settled", "settled")
    assert kpis("out")["ac_replay"] == "failed: the AC power flow of period 1 does not converge"


def test_a_replay_says_how_closely_it_holds() -> None:
    run(replay=True)
    assert kpis("out")["ac_replay"].startswith("voltages within ")
    assert kpis("out")["ac_tolerance_mva"] < 1e-6
    run("none")
    assert kpis("none")["ac_replay"] is None


# --- disks -----------------------------------------------------------------------------------------------------------

CURE = "; once that is mended, `gridbazaar run --resume out` goes on after the rounds that are there"


def test_a_stream_that_cannot_be_written_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Stream.write_columns

    class Full:
        def write_batch(self, _: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    def fails_at_seven(stream: Stream, columns: Any) -> None:
        if stream.path.name == "rounds.arrows" and columns[0] == [7]:
            stream._stream = Full()
        write(stream, columns)

    monkeypatch.setattr(Stream, "write_columns", fails_at_seven)
    with pytest.raises(ResultsError) as caught:
        run()
    assert str(caught.value) == f"out/rounds.arrows: No space left on device{CURE}"
    assert caught.value.exit_code == 6
    assert manifest("out")["outcome"] == "failed"
    assert manifest("out")["message"] == str(caught.value)
    assert read_rounds("out")["number"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert not busy("out")


def test_a_table_that_cannot_be_written_leaves_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(columns: Columns) -> pa.Table:
        Path("out/prosumers.parquet.partial").write_text("half of it")
        assert "prosumer" in columns
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(recorder, "table", fails)
    with pytest.raises(ResultsError) as caught:
        run()
    assert str(caught.value) == f"out/prosumers.parquet: Permission denied{CURE}"
    assert manifest("out")["outcome"] == "failed"
    assert len(read_rounds("out")) > 6
    assert not list(Path("out").glob("*.partial"))


def test_a_file_that_vanishes_is_told_of() -> None:
    def vanish(record: Round) -> None:
        if record.number == 5:
            Path("out", "rounds.arrows").unlink()

    with pytest.raises(ResultsError) as caught:
        run(watch=vanish)
    assert str(caught.value) == f"out/rounds.arrows: No such file or directory{CURE}"


def test_a_folder_that_vanishes_is_told_of() -> None:
    def vanish(record: Round) -> None:
        if record.number == 5:
            shutil.rmtree("out")

    with pytest.raises(ResultsError) as caught:
        run(watch=vanish)
    gone = "out/rounds.arrows: No such file or directory; the results folder is gone, run the scenario anew"
    assert str(caught.value) == gone


def test_a_folder_that_cannot_be_written_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", fails)
    with pytest.raises(ResultsError, match=r"^out/\.lock: Permission denied; "):
        run()


# --- the manifest ----------------------------------------------------------------------------------------------------


def test_a_run_can_be_told_apart_from_its_neighbours() -> None:
    Path("mine.yaml").write_text("base: ieee33\ntitle: mine\n")
    words = ["run", "mine.yaml", "--no-ac", "--set", "title=a b", "--case", "3", "--behaviour", "p2=price_taker"]
    command = [sys.executable, "-m", "gridbazaar.scenarios", *words, "--seed", "4", "-o", "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = manifest("out")
    assert told["scenario_path"] == str(Path("mine.yaml").resolve())
    assert told["command"] == f"gridbazaar {' '.join(words[:4])} 'title=a b' {' '.join(words[5:])} --seed 4 -o out"
    assert told["overrides"] == ["--set title=a b", "--case 3", "--seed 4", "--behaviour p2=price_taker"]


def test_a_run_that_goes_on_keeps_where_it_comes_from() -> None:
    new_folder("x", Path("out"))
    for origin in (
        Origin("s.yaml", "s", "gridbazaar run s.yaml", ("--case 1",)),
        Origin(command="run --resume out"),
        None,
    ):
        with Recorder(Path("out"), gb.load("ieee33"), origin=origin):
            pass
    told = manifest("out")
    assert (told["scenario_path"], told["overrides"]) == ("s.yaml", ["--case 1"])
    assert told["command"] == "gridbazaar run s.yaml"


def test_the_manifest_names_the_tracked_files_that_are_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()

    def git(*words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@x"]
        subprocess.run(["git", "-C", str(checkout), *who, *words], check=True, capture_output=True)

    git("init")
    (checkout / "code.py").write_text("1")
    (checkout / "küche.py").write_text("1")
    git("add", ".")
    git("commit", "-m", "x")
    (checkout / "untracked").write_text("1")
    monkeypatch.setattr(recorder, "__file__", str(checkout / "code.py"))
    run("clean")
    assert manifest("clean")["git_changes"] == []
    (checkout / "küche.py").write_text("2")
    run("changed")
    assert manifest("changed")["git_changes"] == ["küche.py"]
