"""The README of an imported scenario: whose each number is, and what is not as in the original."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import pandas as pd

from ..runs.amounts import counted
from .network import Network
from .proof import Proof
from .prosumers import FIXED_SHARE

if TYPE_CHECKING:
    from ..files.scenario import Scenario


def write_readme(folder: Path, network: Network, scenario: Scenario, proof: Proof, seed: int) -> None:
    """Write README.md and proof.csv.

    Raises:
        OSError: They cannot be written.
    """
    environment = jinja2.Environment(  # noqa: S701  # no page: text
        loader=jinja2.PackageLoader(__package__ or "", ""), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    remarks = network.remarks
    text = environment.get_template("readme.md.j2").render(
        name=folder.name,
        network=network,
        counts=counts(scenario),
        links=bool(scenario.links),
        seed=seed,
        fixed_share=f"{FIXED_SHARE:g}",
        profiles="those that the original brings along" if network.profiles else "a day of loads and of sun, made up",
        proof=f"V{proof.sentence()[1:]}",
        warning=proof.warning(),
        voltage=f"{network.root_voltage_pu:g}",
        lists=[
            ("Left out", remarks.left_out),
            ("Otherwise than in the original", remarks.approximations),
            ("Not in the original", remarks.defaults),
        ],
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    table = pd.DataFrame({"bus": proof.buses, "original_pu": proof.original_pu, "scenario_pu": proof.scenario_pu})
    table["difference_pu"] = table["scenario_pu"] - table["original_pu"]
    table.to_csv(folder / "proof.csv", index=False)


def counts(scenario: Scenario) -> str:
    """How much there is of everything."""
    feeder = scenario.feeder
    nouns = (("bus", "buses"), ("line", "lines"), ("generator", "generators"))
    sizes = len(feeder.buses), len(feeder.lines), len(feeder.generators)
    of_feeder = [counted(size, *noun) for size, noun in zip(sizes, nouns, strict=True)]
    return ", ".join([*of_feeder, counted(len(scenario.prosumers), "prosumer"), counted(len(scenario.links), "link")])
