"""`gridbazaar check`: whether a behaviour, or a device, keeps what a market may count on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..conformance.check import Check


def check(
    what: Annotated[
        str,
        typer.Argument(
            metavar="BEHAVIOUR|DEVICE",
            help="a registered name, module:Class or path.py:Class, such as store(capacity_kwh=9, p_charge_max_kw=3)",
        ),
    ],
    scenario: Annotated[str, typer.Option("--scenario", help="the market it is tried in")] = "",
    prosumer: Annotated[str, typer.Option("--prosumer", help="whose it is there; the first one's")] = "",
) -> None:
    """Check a behaviour (its hooks, bits, time, privacy, whether a market with it settles) or a device."""
    from ..conformance.check import ConformanceError

    checks, trial = _trial(what, scenario, prosumer)
    failed = 0
    for one in checks:
        try:
            said, found = "passed", one.of(trial)
        except ConformanceError as error:
            said, found, failed = "failed", str(error), failed + 1
        typer.echo(f"{said}  {one.name:18}  {found}")
    if failed:
        typer.echo(f"{what}: {failed} of {len(checks)} checks failed", err=True)
        raise typer.Exit(2)


def _no_device(text: str) -> str:
    """What is wrong with a text that names a kind of device and is no call of it."""
    like = "ev(capacity_kwh=50, p_charge_max_kw=11, trips=[{'leaves_h': 7.5, 'returns_h': 17}])"
    return f"{text!r} is no device with parameters; write it as Python does, with names in quotes, like {like}"


def _trial(text: str, scenario: str, prosumer: str) -> tuple[Sequence[Check], Any]:
    """The checks, and what they look at."""
    from ..errors import refuse
    from ..files.behaviour_text import parsed
    from ..files.behaviours import make_behaviour, registered_behaviours
    from ..files.devices import make_device, names_device, registered_devices
    from ..files.tree import did_you_mean

    place = f"check {text}"
    try:
        name = parsed(text)[0]
    except ValueError as error:
        device = text.partition("(")[0].strip() in registered_devices()
        raise refuse(place, "", _no_device(text) if device else str(error)) from None
    known = {**registered_behaviours(), **registered_devices()}
    if ":" not in name and name not in known:
        sentence = f"there is no behaviour, nor kind of device, {name}, nor is it module:Class or path.py:Class"
        raise refuse(place, "", f"{sentence}{did_you_mean(name, known)}")
    if names_device(name, place):
        from ..conformance.device_checks import DEVICE_CHECKS
        from ..conformance.device_trial import DeviceTrial

        make_device(text, place)
        return DEVICE_CHECKS, DeviceTrial.of(partial(make_device, text, place), scenario, prosumer)
    from ..conformance.checks import CHECKS
    from ..conformance.trial import Trial

    make = partial(make_behaviour, text, place, "")
    make()
    return CHECKS, Trial.of(make, scenario, prosumer)
