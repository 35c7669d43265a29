"""Lists the licences of all that the requirements install, directly or not.

python -m tests.tools.licences writes docs/licences.md from what the installed packages say of
themselves.
"""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
LICENCES = ROOT / "docs" / "licences.md"
FILES = {"the app": "requirements.txt", "development": "requirements-dev.txt"}
LONGEST = 60
"""Characters of a licence's name; some packages put the whole text there."""

HEADER = """# Licences of what is installed

Made by `python -m tests.tools.licences`, from what the packages say of themselves. The packages
with a version are pinned; they bring the others along.

| package | licence | for |
|---|---|---|
"""


def pins(name: str) -> dict[str, str]:
    """Return the packages that a requirements file pins, with their versions."""
    lines = (ROOT / name).read_text().split("\n")
    return dict(line.split("==") for line in lines if "==" in line)


def brought_along(names: list[str]) -> Iterator[Distribution]:
    """Yield the installed packages of these names, and all that they need here."""
    waiting, seen = list(names), set[str]()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:  # for another platform
            continue
        yield found
        needs = [Requirement(line) for line in found.requires or []]
        waiting += [need.name for need in needs if not need.marker or _holds(need)]


def _holds(need: Requirement) -> bool:
    return need.marker is not None and need.marker.evaluate({"extra": ""})


def licence(package: Distribution) -> str:
    """Return a licence's name, from the newest way to state it that the package uses."""
    about = package.metadata
    if "License-Expression" in about:
        return about["License-Expression"]
    stated = about["License"].strip() if "License" in about else ""
    if stated == "UNKNOWN":  # old tools wrote that where nothing was stated
        stated = ""
    if stated and "\n" not in stated and len(stated) <= LONGEST:
        return stated
    names = [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    beginning = stated.split("\n")[0][:LONGEST] or "not stated"
    return ", ".join(line.split(" :: ")[-1] for line in names) or beginning


def page() -> str:
    """Return the whole document."""
    rows: dict[str, str] = {}
    for purpose, name in FILES.items():
        pinned = {canonicalize_name(key): value for key, value in pins(name).items()}
        for package in brought_along(list(pinned)):
            key = canonicalize_name(package.name)
            title = f"{key} {pinned[key]}" if key in pinned else key
            rows.setdefault(key, f"| {title} | {_cell(licence(package))} | {purpose} |")
    return HEADER + "\n".join(rows[key] for key in sorted(rows)) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "/")


if __name__ == "__main__":
    LICENCES.write_text(page())
