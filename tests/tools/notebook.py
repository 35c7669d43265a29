"""Execute the notebook: python -m tests.tools.notebook stores the outputs in it."""

import os
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent.parent / "docs" / "fashion_ddpm.ipynb"


def execute(**parameters: Any) -> Any:
    """Return the executed notebook.

    Args:
        **parameters: values that replace those of the cell with the tag "parameters".

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    source, assignments = cell.source, "\n".join(f"{k} = {v!r}" for k, v in parameters.items())
    cell.source = f"{source}\n{assignments}"
    folder = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=3600, resources=folder).execute()
    cell.source = source
    return notebook


def main() -> None:
    """Execute the notebook and write it with its outputs."""
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    notebook = execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/jpeg", None)  # the same picture is there as PNG
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
