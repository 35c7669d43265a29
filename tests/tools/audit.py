"""Asks the Python Package Index for known vulnerabilities of what is installed here.

python -m tests.tools.audit ends with 1 where there is one. Where the index cannot be asked it says
so in a line and ends with 0: without a network nothing can be found, and nothing is wrong.
"""

import json
import subprocess
import sys
from typing import Any

SECONDS = 5
"""How long pip-audit waits for one answer; without a network it ends with the first."""

MAX_SECONDS = 120
"""How long all answers may take."""


def ask(*options: str) -> tuple[str, str]:
    """Run pip-audit over this environment; return its report as JSON, and its last words.

    Args:
        options: what else to tell it, such as another service.
    """
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            [*command, "--timeout", str(SECONDS), *options],
            capture_output=True,
            text=True,
            timeout=MAX_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return "", f"no end within {MAX_SECONDS} seconds"
    return done.stdout, done.stderr.strip().split("\n")[-1]


def verdict(report: str, last_words: str) -> tuple[int, str]:
    """Return the exit status and the line that say what pip-audit found.

    It calls a package that the index does not know no risk: an index that answers nothing looks
    to it like one that knows of no vulnerability. So the packages it has looked up are counted.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        return 0, f"audit skipped: the vulnerability database cannot be reached ({last_words:.200})"
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        return 0, f"audit skipped: the database knows none of {len(packages)} packages"
    found = [
        f"{package['name']} {package['version']}: {', '.join(sorted(names))}"
        for package in known
        if (names := {vulnerability["id"] for vulnerability in package["vulns"]})
    ]
    if found:
        return 1, "audit: known vulnerabilities; pin a fixed version. " + "; ".join(found)
    return 0, f"audit: no known vulnerability in {len(known)} of {len(packages)} packages"


def main(*options: str) -> int:
    """Ask, print the line, return the exit status."""
    status, line = verdict(*ask(*options))
    print(line)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
