"""Communities on a Ray cluster: one actor for each, which serves it as a worker process would.

Ray is an extra (`pip install 'gridbazaar[ray]'`). Every machine of the cluster needs the same gridbazaar.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import create_connection
from typing import Any

from ...network.errors import InputError
from .backend import LostError
from .community_server import CommunityServer
from .environment import environment

LOCAL = "local"
_KNOCK_S = 10.0
_QUIET = {"logging_level": logging.ERROR, "log_to_driver": False}
_MANY_MACHINES = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Where this is 0, Ray takes this machine for one that cannot be reached, and listens on the loopback alone."""


class RayCluster:
    """A Ray cluster: one that is running at an address, or a private one on this machine.

    Attributes:
        address: Where it is: "local" for a private one, "auto" for the one of this machine, or "host:port".
        count: How many actors; None for as many as the cluster has cores.
        patience_s: An actor that takes longer than this for one answer is taken to hang, and replaced.
    """

    noun = "Ray actor"
    shares_files = False

    def __init__(self, address: str = LOCAL, count: int | None = None, patience_s: float = 120.0) -> None:
        """Say where it is; nothing is started before it is needed.

        Raises:
            InputError: There are to be no actors, or no patience.
        """
        if count is not None and count < 1:
            raise InputError(f"{count} Ray actors cannot serve anybody; ask for at least 1, or leave --workers out")
        if not patience_s > 0:
            raise InputError(f"a patience of {patience_s:g} s leaves no time to answer; give some seconds")
        self.address, self.count, self.patience_s = address, count, patience_s
        self._ray: Any = None
        self._ours = False
        self._transports: set[RayTransport] = set()

    def __reduce__(self) -> tuple[type[RayCluster], tuple[str, int | None, float]]:
        """What travels is an address."""
        return RayCluster, (self.address, self.count, self.patience_s)

    def communities(self, prosumers: int) -> int:
        """As many as actors were asked for, or as the cluster has cores."""
        self._actors = min(self.count or self.cores, prosumers)
        return self._actors

    def open(self) -> RayTransport:
        """Start an actor; as `Backend.open`."""
        share = min(1.0, math.floor(1000 * self.cores / self._actors) / 1000)
        transport = RayTransport(self._connected(), share, self.patience_s, self._transports.discard)
        self._transports.add(transport)
        return transport

    def close(self) -> None:
        """Leave the cluster, and end it if it was started here, unless another market is still there."""
        if self._transports or self._ray is None:
            return
        if self._ours:
            self._ray.shutdown()
        self._ray, self._ours = None, False

    @property
    def cores(self) -> int:
        """Those of the cluster."""
        return max(int(self._connected().cluster_resources().get("CPU", 1)), 1)

    def _connected(self) -> Any:
        """Ray's module, connected to the cluster."""
        if self._ray is not None:
            return self._ray
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        if not ray.is_initialized():
            try:
                _knock(self.address)
                _connect(ray, self.address)
            except (OSError, ValueError, RuntimeError) as error:  # Ray raises all of these
                told = str(error).splitlines()[0]
                raise InputError(
                    f"there is no Ray cluster at {self.address} ({told}); start one with `ray start --head`, correct "
                    "the address, or leave it out for a private one"
                ) from None
            self._ours = True
        self._ray = ray
        return ray


def _knock(address: str) -> None:
    """Find out whether anybody is at an address, which Ray itself takes minutes for.

    Raises:
        OSError: There is nobody.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        with create_connection((host, int(port)), timeout=_KNOCK_S):
            pass


def _connect(ray: Any, address: str) -> None:
    """Connect to a cluster, and keep the signal handlers of this process, one of which Ray would replace."""
    in_main = threading.current_thread() is threading.main_thread()
    ended_by = signal.getsignal(signal.SIGTERM)
    if address == LOCAL:
        with _on_loopback():
            ray.init(address=LOCAL, include_dashboard=False, **_QUIET)
    else:
        ray.init(address=address, **_QUIET)
    if in_main:
        signal.signal(signal.SIGTERM, ended_by)


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Keep a Ray that is started here from being reached from other machines."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        with environment({_MANY_MACHINES: "0"}):
            yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


class RayTransport:
    """An actor, and the answer that it owes."""

    def __init__(self, ray: Any, share: float, patience_s: float, leave: Callable[[RayTransport], None]) -> None:
        self._ray, self._patience_s, self._leave = ray, patience_s, leave
        self._actor = ray.remote(num_cpus=share, max_restarts=0, scheduling_strategy="SPREAD")(CommunityServer).remote()
        self._owed: Any = None

    def send(self, data: bytes) -> None:
        """As `Transport.send`."""
        self._owed = self._actor.serve.remote(data)

    def wait(self) -> None:
        """As `Transport.wait`."""
        try:
            done, _ = self._ray.wait([self._owed], timeout=self._patience_s)
        except self._ray.exceptions.RayError as error:
            raise LostError(f"was lost ({type(error).__name__})") from None
        if not done:
            raise LostError(f"did not answer within {self._patience_s:g} s")

    def receive(self) -> bytes:
        """As `Transport.receive`."""
        try:
            data: bytes = self._ray.get(self._owed)
        except self._ray.exceptions.RayError as error:
            raise LostError(f"was lost ({type(error).__name__})") from None
        return data

    def close(self) -> None:
        """As `Transport.close`."""
        self._leave(self)
        if self._ray.is_initialized():
            self._ray.kill(self._actor, no_restart=True)
