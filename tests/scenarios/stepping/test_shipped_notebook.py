"""The notebook that comes with gridbazaar runs from top to bottom and shows what it promises."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from gridbazaar.scenarios import files

NOTEBOOK = Path(files.__file__).parents[1] / "ieee33" / "stepping.ipynb"


@pytest.mark.filterwarnings("ignore")  # of the notebook tools, not ours
def test_it_runs_and_shows_tables_and_pictures(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    shown = [set(output.get("data", ())) for output in outputs]
    assert sum("text/html" in kinds for kinds in shown) >= 3
    assert sum("image/svg+xml" in kinds for kinds in shown) == 1
    assert sum("image/png" in kinds for kinds in shown) == 2
    told = "".join(output.get("text", "") for output in outputs)
    assert "close enough to try what would be delivered" in told
    assert "main@43 against small@57" in told
    assert not any(output.output_type == "error" for output in outputs)
