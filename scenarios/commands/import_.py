"""`gridbazaar import`: a scenario of a network of another tool, with a power flow on both sides as its proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Output

if TYPE_CHECKING:
    from ..importing.importing import Imported

_SHOWN = 6


def import_(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|NAME",
            help="a pandapower network (json; open only files that you trust), a MATPOWER case (.m), or a name: of "
            "pandapower.networks (case33bw, cigre_lv, kerber_dorfnetz), of a MATPOWER case (case69), a SimBench code",
        ),
    ],
    output: Output = None,
    prosumers: Annotated[int, typer.Option("--prosumers", help="how many are put at buses with loads")] = 20,
    links: Annotated[
        str, typer.Option("--links", metavar="ring|neighbours|complete", help="who may trade with whom")
    ] = "ring",
    seed: Annotated[int, typer.Option("--seed", help="of where prosumers stand and what they have")] = 0,
    periods: Annotated[int, typer.Option("--periods", help="of the day, where there are no profiles")] = 24,
    day: Annotated[int, typer.Option("--day", help="of the year, where there are profiles (SimBench)")] = 182,
    price_usd_per_kwh: Annotated[
        float, typer.Option("--price", help="$/kWh of the external grid, if it has no costs")
    ] = 0.15,
    peak: Annotated[
        float | None,
        typer.Option("--peak", help="largest share of the given loads; what the limits allow by default"),
    ] = None,
) -> None:
    """Make a scenario folder of a network of another tool; say what is not as there, and prove the rest."""
    from ..files.tree import Tree
    from ..importing.kept import wish_of

    given = {
        "network": ("", what),
        "prosumers": ("--prosumers", prosumers),
        "links": ("--links", links),
        "seed": ("--seed", seed),
        "periods": ("--periods", periods),
        "day": ("--day", day),
        "price_usd_per_kwh": ("--price", price_usd_per_kwh),
        "peak": ("--peak", peak),
    }
    tree = Tree({"import": {key: value for key, (_, value) in given.items() if value is not None}})
    tree.places = {("import", key): f"{option} {value}" for key, (option, value) in given.items()}
    wish = wish_of(tree)
    from ..importing.importing import import_network  # with pandas, which no refusal above waits for

    _tell(import_network(wish, output or Path(Path(what).stem)))


def _tell(imported: Imported) -> None:
    """What was made, what is not as in the original, and the proof."""
    from ..files.text import shown
    from ..importing.readme import counts

    folder = shown(imported.folder)
    typer.echo(f"written: {folder} ({counts(imported.scenario)})")
    remarks = imported.network.remarks
    for heading, sentences in (
        ("left out", remarks.left_out),
        ("otherwise than in the original", remarks.approximations),
        ("not in the original", remarks.defaults),
    ):
        typer.echo(f"{heading}: {len(sentences) or 'nothing'}")
        for sentence in sentences[:_SHOWN]:
            typer.echo(f"  {sentence}")
        if len(sentences) > _SHOWN:
            typer.echo(f"  and {len(sentences) - _SHOWN:,} more, all in {folder}/README.md")
    typer.echo(f"proof: {imported.proof.sentence()}")
    warning = imported.proof.warning()
    if warning:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"try it: gridbazaar run {folder}/{imported.folder.name}.yaml")
