"""The npm packages of the site: pinned in package-lock.json, installed once into a cache."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import zopfli.gzip
from filelock import FileLock

from fashion_ddpm.checkpoints.atomic_folders import (
    create_temporary_folder,
    finalize_folder,
    recover_folder,
    report_write_errors,
)
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.errors import reason
from fashion_ddpm.web.errors import WebError

WEB = Path(__file__).parent
PACKAGE_FILE, LOCK_FILE = "package.json", "package-lock.json"

RUNTIME = "onnxruntime-web/dist"
WASM = "ort-wasm-simd-threaded"

VENDOR_FILES = {
    f"{RUNTIME}/ort.wasm.min.mjs": "onnxruntime/ort.wasm.min.mjs",
    f"{RUNTIME}/ort.jspi.min.mjs": "onnxruntime/ort.jspi.min.mjs",
    f"{RUNTIME}/{WASM}.mjs": f"onnxruntime/{WASM}.mjs",
    f"{RUNTIME}/{WASM}.jspi.mjs": f"onnxruntime/{WASM}.jspi.mjs",
    f"{RUNTIME}/{WASM}.wasm": f"onnxruntime/{WASM}.wasm.gz",
    f"{RUNTIME}/{WASM}.jspi.wasm": f"onnxruntime/{WASM}.jspi.wasm.gz",
    "gifenc/dist/gifenc.esm.js": "gifenc.js",
    "gifenc/LICENSE.md": "gifenc_licence.md",
}
"""File of a package → file of the site's folder vendor. The runtime's licence is not in its
package: onnxruntime_licence.txt beside this file."""

SOURCE_MAP = re.compile(rb"\n//# sourceMappingURL=.*")

INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
INSTALL_SECONDS = 600


def vendor_folder() -> Path:
    """Return a folder with VENDOR_FILES, under the names of the site; installed at first use.

    Raises:
        WebError: there is no npm, the packages cannot be installed, or they lack a file.
        CheckpointError: the cache cannot be written.
    """
    folder = cache_folder()
    cached = folder / f"vendor-{_vendor_key()}"
    with report_write_errors(cached):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{cached}.lock"):  # of exports that run side by side, one installs
        recover_folder(cached)
        if not is_intact(cached):
            _fill(cached)
    return cached


def _vendor_key() -> str:
    """Return the start of a checksum of the packages' versions and of what is taken of them."""
    taken = json.dumps(VENDOR_FILES).encode()
    return hashlib.sha256((WEB / LOCK_FILE).read_bytes() + taken).hexdigest()[:12]


def _fill(cached: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fashion-ddpm-npm-") as name:
        packages = install(Path(name))
        temporary = create_temporary_folder(cached)
        for source, target in VENDOR_FILES.items():
            (temporary / target).parent.mkdir(parents=True, exist_ok=True)
            (temporary / target).write_bytes(_read(packages / source, target))
        finalize_folder(cached)


def _read(path: Path, target: str) -> bytes:
    """Return what the site holds of a package's file."""
    if not path.is_file():
        raise WebError(
            f"The npm packages have no {path.name}, which the site needs: {WEB / PACKAGE_FILE} "
            "must pin versions that have it."
        )
    content = path.read_bytes()
    if target.endswith(".gz"):
        # Half a minute for 4 % less of what every visitor loads; the cache keeps it.
        packed: bytes = zopfli.gzip.compress(content, numiterations=1)
        return packed
    return SOURCE_MAP.sub(b"", content)  # the maps are not in the site


def cache_folder() -> Path:
    """Return the folder of this program in the user's cache (XDG_CACHE_HOME)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fashion-ddpm"


def install(folder: Path, *, with_tools: bool = False) -> Path:
    """Install the packages of package-lock.json into a folder; return its node_modules.

    Args:
        folder: an empty folder, or one of an earlier installation.
        with_tools: whether to install what only checks the code, too: TypeScript.

    Raises:
        WebError: there is no npm, or it failed.
    """
    for name in (PACKAGE_FILE, LOCK_FILE):
        shutil.copyfile(WEB / name, folder / name)
    command = [find_npm(), *INSTALL, *([] if with_tools else ["--omit=dev"])]
    try:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = " ".join(str(getattr(error, "stderr", None) or "").split())
        raise WebError(
            f"The npm packages of {WEB / LOCK_FILE} could not be installed "
            f"({said[:200] or reason(error)}): connect to the network, or set npm's registry, and "
            "run the same command again."
        ) from error
    return folder / "node_modules"


def find_npm() -> str:
    """Return the npm of this Python's environment, or that of the system.

    Raises:
        WebError: there is none.
    """
    found = shutil.which("npm", path=str(Path(sys.executable).parent)) or shutil.which("npm")
    if found is None:
        raise WebError(
            "There is no npm beside this Python, nor on the PATH, and the site's runtime is an npm "
            'package: run pip install "fashion-ddpm[web]", or install Node.js.'
        )
    return found
