"""Downloading checkpoints from the Hub: one commit, only tensors, JSON and diffusers' code."""

import re
import sys
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import MANIFEST
from fashion_ddpm.core.errors import reason

HUB_NAME_PATTERN = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
"""USER/NAME, or USER/NAME@REVISION."""

DOWNLOAD_PATTERNS = (
    *("model_index.json", "pipeline.py", "run.json", MANIFEST, "scheduler/*.json"),
    *("unet/*.json", "unet/*.safetensors"),
)
"""The files that are downloaded; pipeline.py is compared with the manifest and never run."""

HUB_TIMEOUT_SECONDS = 3.0


def fetch_checkpoint(name: str) -> tuple[Path, str]:
    """Download a checkpoint, or find it in the cache.

    Args:
        name: USER/NAME@REVISION; without a commit as revision, the commit is printed to stderr.

    Returns:
        The folder, and USER/NAME@COMMIT.

    Raises:
        CheckpointError: the repository or revision does not exist or cannot be reached.
    """
    if not HUB_NAME_PATTERN.fullmatch(name):
        raise CheckpointError(
            "it is neither a folder nor USER/NAME@REVISION; name a folder that "
            "a training run wrote, or a Hub repository that holds one"
        )
    repository, _, revision = name.partition("@")
    try:
        folder = snapshot_download(
            repository, revision=revision or None, allow_patterns=list(DOWNLOAD_PATTERNS)
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{reason(error)}; name a folder, or a repository and a revision that exist, and "
            "connect to the network"
        ) from error
    commit = Path(folder).name
    pinned = f"{repository}@{commit}"
    if revision != commit:
        print(f"{name} is {pinned} today; name it so to get the same again.", file=sys.stderr)
    return Path(folder), pinned


def find_cached_file(name: str, file: str) -> Path | None:
    """Return a file of USER/NAME@REVISION if it is in the cache."""
    if not HUB_NAME_PATTERN.fullmatch(name):
        return None
    repository, _, revision = name.partition("@")
    path = try_to_load_from_cache(repository, file, revision=revision or None)
    return Path(path) if isinstance(path, str) else None


def is_hub_reachable(repository: str) -> bool:
    """Return whether the Hub answers within HUB_TIMEOUT_SECONDS.

    Its libraries would retry for half a minute before they use the cache.
    """
    try:
        HfApi().model_info(repository, timeout=HUB_TIMEOUT_SECONDS)
    except HfHubHTTPError:
        return True  # the download will report the error
    except Exception:  # of the HTTP library that huggingface_hub uses
        return False
    return True
