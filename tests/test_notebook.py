"""Tests of the notebook: every cell runs, and the outputs that are stored are its own."""

import shutil

import nbformat
import pytest

from fashion_ddpm.core.paths import ROOT
from tests.tools import MINI_DATA
from tests.tools.notebook import NOTEBOOK, execute

RUNS = (ROOT / "runs" / "notebook-test", ROOT / "runs" / "notebook-test-publish")


def test_each_cell_was_executed_in_order_and_its_outputs_are_stored() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 6
    assert {output.name for output in outputs if output.output_type == "stream"} == {"stdout"}
    assert NOTEBOOK.stat().st_size < 700_000


@pytest.mark.slow
def test_every_cell_runs() -> None:
    training = "--preset smoke --report-to none"
    try:
        notebook = execute(
            NUM_IMAGES=2, STEPS=2, TRAINING=training, DATA=str(MINI_DATA), RUN=RUNS[0].name
        )
    finally:
        for folder in RUNS:
            shutil.rmtree(folder, ignore_errors=True)
    printed = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    ]
    assert "Nothing was sent" in printed[-1]
