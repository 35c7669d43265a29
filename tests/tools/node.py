"""Node.js for the tests of browser code: scripts that print JSON, and TypeScript's checker.

python -m tests.tools.node installs the npm packages that the tests need.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from filelock import FileLock

from fashion_ddpm.checkpoints.manifest import sha256
from fashion_ddpm.web.npm_packages import LOCK_FILE, WEB, cache_folder, install, vendor_folder
from tests.tools import TIMEOUT_S

TYPESCRIPT = "typescript/bin/tsc"


def node_path() -> str:
    """Return the node of this Python's environment, or that of the system."""
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert found, "no node: pip install --requirement requirements-web.txt"
    return found


def run_node(script: str | Path, *arguments: Any, stdin: Any = None) -> Any:
    """Run a script and return the JSON that it printed.

    Args:
        script: an .mjs file.
        arguments: its process.argv from the third on, as text.
        stdin: what it reads from its standard input, as JSON; None for nothing.
    """
    done = subprocess.run(
        [node_path(), str(script), *map(str, arguments)],
        input=None if stdin is None else json.dumps(stdin),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, f"{script} {arguments}:\n{done.stderr}"
    return json.loads(done.stdout)


def node_modules() -> Path:
    """Return the npm packages with the tools that check the code, installed once into the cache."""
    folder = cache_folder() / f"tools-{sha256(WEB / LOCK_FILE)[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):  # test processes run side by side
        complete = folder / "complete"
        if not complete.exists():
            install(folder, with_tools=True)
            complete.touch()
    return folder / "node_modules"


def check_types(project: Path = WEB) -> str:
    """Return TypeScript's complaints about the modules of a folder with a tsconfig.json."""
    command = [node_path(), node_modules() / TYPESCRIPT, "--project", project, "--pretty", "false"]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    return done.stdout + done.stderr


if __name__ == "__main__":
    print(vendor_folder(), node_modules())
