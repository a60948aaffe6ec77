"""A pipe whose long frames lie in shared memory: what arrives is what was sent, whatever becomes of the memory."""

import errno
import os
import threading
from multiprocessing import Pipe
from pathlib import Path

import pytest

from gridbazaar.market.hosting import shared_pipe
from gridbazaar.market.hosting.shared_pipe import LONG, SharedPipe, clear, shared_folder


@pytest.fixture
def folder():
    made = shared_folder()
    if not made:
        pytest.skip("this system keeps no files in memory")
    yield made
    clear(made)
    assert not Path(made).exists()


def ends(folder):
    ours, theirs = Pipe()
    return SharedPipe(ours, folder, "market"), SharedPipe(theirs, folder, "worker")


def carried(sender, receiver, frame):
    """The frame, sent from a thread: the pipe alone holds no long one."""
    thread = threading.Thread(target=sender.send, args=(frame,))
    thread.start()
    found = receiver.receive()
    thread.join()
    return found


SIZES = (0, 7, LONG - 1, LONG, LONG + 1, 3 * LONG, LONG + 5, 20 * LONG, 11)


@pytest.mark.parametrize("shared", [True, False])
def test_frames_of_any_size_arrive_both_ways(folder, shared):
    market, worker = ends(folder if shared else "")
    for number, size in enumerate(SIZES):
        frame = os.urandom(size)
        assert carried(market, worker, frame) == frame
        answer = bytes([number]) * (size * 2)
        assert carried(worker, market, answer) == answer
    assert (market._own is not None) is shared
    assert not list(Path(folder).iterdir())  # rooms that both have are nameless


def test_long_frames_are_not_in_the_pipe(folder):
    market, worker = ends(folder)
    market.send(b"x" * 3 * LONG)  # would wait for a reader
    assert len(worker.pipe.recv_bytes()) == 16


def test_where_memory_is_full_the_pipe_carries(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shared_pipe.os, "posix_fallocate", full)
    market, worker = ends(folder)
    frame = os.urandom(2 * LONG)
    assert carried(market, worker, frame) == frame
    monkeypatch.undo()
    assert carried(market, worker, frame) == frame  # it is not tried again
    assert market._own is None
    assert not list(Path(folder).iterdir())
    assert carried(worker, market, frame) == frame  # the other end has not found it full
    assert worker._own is not None


def test_without_a_place_in_memory_there_is_no_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(shared_pipe, "_IN_MEMORY", tmp_path / "none")
    assert shared_folder() == ""
    clear("")  # nothing to do


def test_a_closed_end_is_told(folder):
    market, worker = ends(folder)
    worker.pipe.close()
    with pytest.raises(BrokenPipeError):
        market.send(b"x" * LONG)
    with pytest.raises((EOFError, OSError)):
        market.receive()
