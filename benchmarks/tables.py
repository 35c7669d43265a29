"""Markdown tables, and sections of a document that a command writes and replaces."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

from fashion_ddpm.core.provenance import current_commit, device_name

TITLE = "# How fast it is\n\nEach section is written by the command that it names.\n"


def row(cells: Iterable[object]) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


def table(columns: Sequence[str], rows: Iterable[Iterable[object]] = ()) -> str:
    """Return a Markdown table, or only its head if there are no rows."""
    return "\n".join(map(row, [columns, ["---"] * len(columns), *rows]))


def machine_and_commit() -> str:
    """Return the machine and the commit, which every result must state."""
    return f"{device_name(torch.device('cpu'))}; commit {current_commit()}"


def section_title(title: str, backend: str) -> str:
    """Return the title of a section about a backend; the default, eager, is not named."""
    return title if backend == "eager" else f"{title}, by {backend}"


def write_section(path: Path, title: str, text: str) -> None:
    """Print a section, and replace the one of the same title in a document."""
    print(text)
    old = path.read_text() if path.exists() else TITLE
    section = f"\n## {title}\n\n{text.strip()}\n"
    before, *after = re.split(rf"\n## {re.escape(title)}\n.*?(?=\n## |\Z)", old, flags=re.DOTALL)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(before + section + "".join(after))
