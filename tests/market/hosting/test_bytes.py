"""What crosses the boundary of a process: the real bytes, caught where they enter and leave the pipes."""

from __future__ import annotations

import multiprocessing.connection as mpc
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from gridbazaar.agents import TradeGraph
from gridbazaar.agents.messages import axes_of
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Workers
from gridbazaar.market.hosting import communities
from gridbazaar.market.hosting.calls import VERBS, flat, lifted
from gridbazaar.market.hosting.community_server import CommunityServer
from gridbazaar.market.hosting.frames import plain_frame, set_up_frame
from gridbazaar.market.hosting.spec import community_specs
from gridbazaar.market.messages import Needs

HEAD = {"sent": 1, "received": 3}  # numbers before the message: of the call; and two times, too


class Tap:
    """Everything that goes through the pipes of this process, as it goes."""

    def __init__(self) -> None:
        self.raw: dict[str, dict[int, bytearray]] = {"sent": {}, "received": {}}

    def on(self, monkeypatch: pytest.MonkeyPatch) -> Tap:
        write, read = mpc.Connection._write, mpc.Connection._read
        raw = self.raw

        def listening_write(handle, data):
            count = write(handle, data)
            raw["sent"].setdefault(handle, bytearray()).extend(bytes(data[:count]))
            return count

        def listening_read(handle, size):
            data = read(handle, size)
            raw["received"].setdefault(handle, bytearray()).extend(data)
            return data

        monkeypatch.setattr(mpc.Connection, "_write", staticmethod(listening_write))
        monkeypatch.setattr(mpc.Connection, "_read", staticmethod(listening_read))
        monkeypatch.setattr(mpc.Connection._send, "__defaults__", (listening_write,))
        monkeypatch.setattr(mpc.Connection._recv, "__defaults__", (listening_read,))
        return self

    def frames(self, way: str, handle: int) -> list[bytes]:
        """What was sent at once, without the lengths before each."""
        data, found = bytes(self.raw[way][handle]), []
        while data:
            (length,) = struct.unpack("!i", data[:4])
            number, size = struct.unpack("<QQ", data[4:20])  # where it lies, and how long it is
            assert (number, size) == (0, length - 16)  # in the pipe
            found.append(data[20 : 4 + length])
            data = data[4 + length :]
        return found


@pytest.fixture
def tapped(monkeypatch, data):
    """A whole run on two workers that are saved after every round, up to its end; its bytes by community."""
    tap = Tap()
    monkeypatch.setattr(communities, "_EVERY_S", 0.0)
    settings = MarketSettings(network_use="bids")
    with EnergyMarket(**data("ieee33"), settings=settings, hosting=Hosting(Workers(2)), rng=5) as market:
        tap.on(monkeypatch)
        handles = [proxy._transport._pipe.pipe.fileno() for proxy in market.communities.proxies]
        while market.running:
            market.step()
        monkeypatch.undo()
        heard = [
            (way, proxy.membership, tap.frames(way, handle))
            for way in ("sent", "received")
            for proxy, handle in zip(market.communities.proxies, handles, strict=True)
        ]
        return heard, market


def test_only_messages_travel_and_every_byte_of_them_is_known(tapped):
    heard, market = tapped
    for way, membership, frames in heard:
        saves = [frame for frame in frames if frame.startswith((b"save\0", b"done\0"))]
        assert len(saves) > 40
        assert len(frames) == market.communities.calls + 1 + len(
            saves
        )  # with one look at what households need, at the end
        for frame in saves:  # where to save, and that it is done; what is saved stays where it is
            assert Path(frame[16:].decode()).suffix == ".npz" if way == "sent" else frame[16:] == b""
        for frame in (frame for frame in frames if frame not in saves):
            verb = frame[:16].rstrip(b"\0").decode()
            kind = VERBS[verb][way == "received"]
            values = np.frombuffer(frame[16:])
            message = lifted(kind, values[HEAD[way] :], membership.extent)  # refuses a number too many or too few
            assert np.array_equal(flat(message), values[HEAD[way] :], equal_nan=True)


def test_no_secret_is_in_the_bytes(tapped, data):
    """Cost coefficients, loads and forecasts, as the eight bytes that each of them is."""
    heard, _ = tapped
    needs = b"needs"
    said = b"".join(frame for _, _, frames in heard for frame in frames if not frame.startswith(needs))
    for home in data("ieee33")["households"]:
        for number in (home.alpha_usd_per_kw2h, home.beta_usd_per_kwh, *home.fixed_kw, *home.renewable_kw):
            assert number == 0 or struct.pack("d", number) not in said


def test_the_search_for_secrets_finds_one(tapped, data):
    """What households need is told to the person at the screen when a market settles, and only then."""
    heard, _ = tapped
    told = [
        lifted(Needs, np.frombuffer(frame[16:])[3:], membership.extent)
        for way, membership, frames in heard
        for frame in frames
        if way == "received" and frame.startswith(b"needs")
    ]
    assert len(told) == 2
    homes = data("ieee33")["households"]
    assert sum(message.need_kw.sum() for message in told) == pytest.approx(
        sum((home.fixed_kw + home.elastic_min_kw).sum() for home in homes)
    )


@pytest.mark.parametrize("verb", VERBS)
def test_messages_come_back_as_they_were(verb):
    rng = np.random.default_rng(0)
    extent = {"prosumer": 3, "arc": 4, "device": 2, "period": 5}
    for kind in VERBS[verb]:
        cells = {
            name: rng.normal(size=[extent[axis] for axis in axes]) if axes else 0.5
            for name, axes in axes_of(kind).items()
        }
        members = {"members": (0, 2)} if kind.__name__ in {"Quotes", "Offers"} else {}
        message = kind(**members, **cells)
        values = flat(message)
        again = lifted(kind, values, extent)
        assert all(np.array_equal(getattr(again, name), cell) for name, cell in (cells | members).items())
        if values.size:
            with pytest.raises(ValueError, match="numbers here"):
                lifted(kind, np.append(values, 0.0), extent)


def test_a_server_unpickles_nothing_but_what_sets_up_its_community(data):
    """Every other frame is numbers or text; bytes that a pickle would act on are only an error."""
    given = data("ieee33")
    graph = TradeGraph([home.name for home in given["households"]], given["links"])
    (spec,) = community_specs(given["households"], graph, [np.arange(3)])
    server = CommunityServer()
    assert server.serve(set_up_frame(spec, [])).startswith(b"done")

    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    for verb in (*VERBS, "save", "recall", "done", "refused"):
        answer = server.serve(plain_frame(verb, pickle.dumps(Bomb())))
        assert answer.startswith(b"failed")
    with pytest.raises(pytest.fail.Exception, match="unpickled"):  # the bomb is one
        pickle.loads(pickle.dumps(Bomb()))
