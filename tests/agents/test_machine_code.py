"""Machine code of rows: kept as a file, loaded without numba, to the interpreter's bits."""

import importlib
import subprocess
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from filelock import FileLock

from gridbazaar.agents import bid_exchange, knapsack, machine_code, pair_exchange, penalty, platform

SOURCE = """
import math

def parts(asked, rules, values, results, scratch):
    doubles, share = rules
    for i in asked:
        results[0][i] = part(values[i], doubles) / share
        results[1][i, 0] = math.exp(values[i])

def part(value, doubles):
    return 2 * value if doubles else value
"""
SAID = ["compiling for this machine, some 10 s; it is kept for the next time"]
MEMORIES = "_is_kept", "_kept", "_compiled", "_by_numba", "_say_that_it_compiles"


@pytest.fixture
def function(tmp_path, monkeypatch):
    """A function of rows in a module of its own, of which nothing is kept yet, here and among the user's caches."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    (tmp_path / "fresh_rows.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield importlib.import_module("fresh_rows").parts
    del sys.modules["fresh_rows"]
    forget()


def forget():
    """As in another process."""
    for name in MEMORIES:
        getattr(machine_code, name).cache_clear()


def values(share=4.0):
    return ((True, share), np.array([1.0, 2.0, 5.0])), (np.zeros(3), np.zeros((3, 1)))


def runs(kernel):
    """What the kernel finds is right."""
    inputs, results = values()
    kernel(inputs, results)(np.arange(3), np.zeros((0, 0)))
    assert results[0].tolist() == [0.5, 1.0, 2.5]
    assert np.allclose(results[1][:, 0], np.exp([1.0, 2.0, 5.0]), rtol=1e-15)
    return True


def files(folder):
    return sorted(folder.glob("**/fresh_rows.parts-*.o"))


def test_who_waits_for_a_compiler_is_told_once_and_not_where_code_is_kept(function, caplog, tmp_path):
    assert machine_code.kept(function, *values()) is None
    assert runs(machine_code.compiled(function, *values()))
    assert caplog.messages == SAID
    assert len(files(tmp_path / "__pycache__")) == 1
    caplog.clear()
    forget()
    assert runs(machine_code.kept(function, *values()))
    assert runs(machine_code.compiled(function, *values()))
    assert caplog.messages == []


def test_who_waits_for_code_that_numba_keeps_is_told_once_and_not_where_it_is_kept(function, caplog):
    def compile_and_run():
        (rules, numbers), found = values()
        machine_code.through_numba(function)(np.arange(3), rules, numbers, found, np.zeros((0, 0)))
        assert found[0].tolist() == [0.5, 1.0, 2.5]

    compile_and_run()
    assert caplog.messages == SAID
    caplog.clear()
    forget()
    compile_and_run()
    assert caplog.messages == []


def test_numba_keeps_code_of_one_process_at_a_time(function):
    """Otherwise two that compile for different kinds at once overwrite what the other has kept."""
    (rules, numbers), found = values()
    kernel = machine_code.through_numba(function)
    folder = Path(machine_code.by_numba(function, nogil=True, cache=True, error_model="python").stats.cache_path)
    folder.mkdir(parents=True, exist_ok=True)
    compiling = Thread(target=kernel, args=(np.arange(3), rules, numbers, found, np.zeros((0, 0))))
    with FileLock(folder / machine_code.LOCK):  # another process compiles
        compiling.start()
        compiling.join(1.0)
        assert compiling.is_alive()
        assert not list(folder.glob("fresh_rows.parts-*.nbi"))
    compiling.join()
    assert found[0].tolist() == [0.5, 1.0, 2.5]
    assert len(list(folder.glob("fresh_rows.parts-*.nbi"))) == 1
    with FileLock(folder / machine_code.LOCK):  # and again, which does not matter any more
        kernel(np.arange(3), rules, numbers, found, np.zeros((0, 0)))


def test_another_text_or_other_kinds_of_values_are_other_code(function, tmp_path):
    machine_code.compiled(function, *values())
    forget()
    (rules, _), results = values()
    assert machine_code.kept(function, (rules, np.zeros((3, 1))), results) is None
    forget()
    (tmp_path / "fresh_rows.py").write_text(SOURCE + "\n")
    assert machine_code.kept(function, *values()) is None


@pytest.mark.parametrize("damage", [lambda file: file[:-100], lambda file: file[:50] + b"x" + file[51:], lambda _: b""])
def test_a_damaged_file_is_made_anew(function, tmp_path, damage):
    machine_code.compiled(function, *values())
    (path,) = files(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    forget()
    assert machine_code.kept(function, *values()) is None
    assert runs(machine_code.compiled(function, *values()))
    forget()
    assert runs(machine_code.kept(function, *values()))


def test_where_python_cannot_keep_its_own_the_users_caches_hold_it(function, tmp_path):
    (tmp_path / "__pycache__").write_text("a file where a folder would be")
    assert runs(machine_code.compiled(function, *values()))
    assert [path.parent for path in files(tmp_path)] == [tmp_path / "caches" / "gridbazaar"]
    forget()
    assert runs(machine_code.kept(function, *values()))


def test_where_nothing_can_be_kept_it_runs_as_well(function, tmp_path):
    (tmp_path / "__pycache__").write_text("a file where a folder would be")
    (tmp_path / "caches").write_text("another")
    assert runs(machine_code.compiled(function, *values()))
    assert not files(tmp_path)


def test_what_does_not_fit_is_called_through_numba(function, monkeypatch, tmp_path):
    monkeypatch.setitem(machine_code._WORDS, "<f8", "ptr")
    assert runs(machine_code.compiled(function, *values()))
    assert not files(tmp_path)
    forget()
    monkeypatch.undo()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(machine_code._ALONE, "unheard_of", True)
    assert runs(machine_code.compiled(function, *values()))


def test_what_machine_code_refuses_the_interpreter_explains(function):
    run = machine_code.compiled(function, *values())(*values(share=0.0))
    with pytest.raises(ZeroDivisionError):
        run(np.arange(3), np.zeros((0, 0)))


def test_loading_it_imports_no_numba(function, tmp_path):
    machine_code.compiled(function, *values())
    program = (
        "import sys, numpy as np, fresh_rows\n"
        "from gridbazaar.agents import machine_code\n"
        "found = np.zeros(3), np.zeros((3, 1))\n"
        "inputs = (True, 4.0), np.array([1.0, 2.0, 5.0])\n"
        "machine_code.kept(fresh_rows.parts, inputs, found)(inputs, found)(np.arange(3), np.zeros((0, 0)))\n"
        "print(found[0].tolist(), 'numba' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[0.5, 1.0, 2.5] False"


# --- the project's own -----------------------------------------------------------------------------------------------

HOMES, LINKS, PERIODS = 5, 7, 4


CHANCE = np.random.default_rng(3)


def rows_of(*shape):
    return CHANCE.uniform(0.1, 1.0, shape)


def share_inputs():
    arcs = np.array([0, 3, 6, 9, 12, 14]), rows_of(2 * LINKS), rows_of(2 * LINKS) / 50
    homes = tuple(rows_of(HOMES, PERIODS) for _ in range(4))
    links = tuple(rows_of(2 * LINKS, PERIODS) for _ in range(4))
    return np.arange(HOMES), rows_of(HOMES, PERIODS, 10), arcs, (True, 0.5), homes, links


def least_inputs():
    asked, cells, arcs, _, homes, links = share_inputs()
    return asked, cells, arcs, (homes[0], links[0])


def kept_inputs():
    asked, cells, (starts, _, _), _, homes, links = share_inputs()
    return asked, cells, starts, (*homes[:3], links[0] - 0.5)


def sale_inputs():
    which = np.arange(HOMES) % 3 > 0, np.arange(PERIODS) % 2 > 0
    before = tuple(rows_of(HOMES, PERIODS) for _ in range(5))
    return np.arange(HOMES), which, before, rows_of(HOMES, PERIODS)


def volume_inputs():
    return np.arange(HOMES), np.array([0, 3, 6, 9, 12, 14]), rows_of(HOMES, PERIODS) - 0.5, rows_of(14, PERIODS) - 0.5


def update_inputs():
    ends = np.arange(0, 2 * LINKS, 2), np.arange(1, 2 * LINKS, 2), np.arange(LINKS) % 3 > 0
    told = tuple(rows_of(2 * LINKS, PERIODS) for _ in range(3))
    return np.arange(LINKS), ends, told, tuple(rows_of(LINKS, PERIODS) for _ in range(6)), 0.3


def quote_inputs():
    at, sources = np.arange(2 * LINKS) // 2, [(each, PERIODS) for each in (LINKS, 2 * LINKS, LINKS)]
    return np.arange(2 * LINKS), (at, np.arange(2 * LINKS) ^ 1), tuple(rows_of(*shape) for shape in sources)


def balance_inputs():
    sides = rows_of(LINKS, PERIODS), rows_of(LINKS, PERIODS), rows_of(LINKS), np.arange(LINKS) % 3 > 0
    before = *(rows_of(LINKS, PERIODS) for _ in range(2)), np.sign(rows_of(LINKS, PERIODS) - 0.5)
    return np.arange(LINKS), sides, (0.2, 0.01), before


ROWS = [
    (knapsack.share_rows, share_inputs, [(4, HOMES, PERIODS), (2 * LINKS, PERIODS)]),
    (knapsack.least_rows, least_inputs, [(HOMES,)]),
    (knapsack.kept_rows, kept_inputs, [(3, HOMES, PERIODS)]),
    (bid_exchange.sale_rows, sale_inputs, [(HOMES, PERIODS)] * 4),
    (platform.volume_rows, volume_inputs, [(HOMES,)]),
    (pair_exchange.update_rows, update_inputs, [(2 * LINKS, PERIODS), *[(LINKS, PERIODS)] * 5]),
    (pair_exchange.quote_rows, quote_inputs, [(2 * LINKS, PERIODS)] * 3),
    (penalty.balance_rows, balance_inputs, [(LINKS, PERIODS)] * 3),
]


@pytest.mark.parametrize(("rows", "inputs", "shapes"), ROWS, ids=[rows.__name__ for rows, *_ in ROWS])
def test_all_rows_of_the_market_run_without_numba_to_the_interpreters_bits(rows, inputs, shapes):
    (asked, *told), scratch = inputs(), (5, 3 + 2 * LINKS)
    machine, interpreter = (tuple(np.zeros(shape) for shape in shapes) for _ in range(2))
    kernel = machine_code.compiled(rows, tuple(told), machine)
    assert isinstance(kernel.__self__, machine_code._Loaded)
    kernel(tuple(told), machine)(asked, np.empty(scratch))
    rows(*map(machine_code.listed, (asked, *told)), interpreter, [[0.0] * scratch[1] for _ in range(scratch[0])])
    for one, two in zip(machine, interpreter, strict=True):
        assert np.array_equal(one, two)
        assert one.any()


def test_arrays_are_laid_out_row_by_row_and_lists_are_made_of_all():
    inputs = np.arange(3), (1.5, np.eye(4)[:, ::2])
    assert machine_code.listed(inputs)[1] == (1.5, [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    laid_out = machine_code.laid_out(inputs)
    assert laid_out[0] is inputs[0]
    assert laid_out[1][1].flags.c_contiguous
    assert np.array_equal(laid_out[1][1], inputs[1][1])
