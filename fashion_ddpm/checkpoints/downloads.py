"""A checkpoint on the Hub → a folder: one commit of it, and only its tensors and JSON."""

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
    *("model_index.json", "run.json", MANIFEST, "scheduler/*.json"),
    *("unet/*.json", "unet/*.safetensors"),
)
"""What is fetched; whatever else lies in a repository stays there."""


HUB_TIMEOUT_SECONDS = 3.0
"""After these the Hub counts as not to be reached."""


def fetch_checkpoint(name: str) -> tuple[Path, str]:
    """Fetch a checkpoint, or find what was fetched before.

    Args:
        name: USER/NAME@REVISION; without a revision the newest commit is taken and named on
            stderr, so that one can ask for the same again.

    Returns:
        The folder, and USER/NAME@COMMIT.

    Raises:
        CheckpointError: there is no such repository or revision, or it cannot be reached.
    """
    if not HUB_NAME_PATTERN.fullmatch(name):
        raise CheckpointError(
            "it is neither a folder nor USER/NAME@REVISION; name a folder that "
            "train_accelerate.py wrote, or a Hub repository that holds one"
        )
    repository, _, revision = name.partition("@")
    try:
        found = snapshot_download(
            repository, revision=revision or None, allow_patterns=list(DOWNLOAD_PATTERNS)
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{reason(error)}; name a folder, or a repository and a revision that exist, and "
            "connect to the network"
        ) from error
    commit = Path(found).name
    pinned = f"{repository}@{commit}"
    if revision != commit:
        print(f"{name} is {pinned} today; name it so to get the same again.", file=sys.stderr)
    return Path(found), pinned


def find_cached_file(name: str, file: str) -> Path | None:
    """Return a file of USER/NAME@REVISION that was fetched before, if it was."""
    if not HUB_NAME_PATTERN.fullmatch(name):
        return None
    repository, _, revision = name.partition("@")
    found = try_to_load_from_cache(repository, file, revision=revision or None)
    return Path(found) if isinstance(found, str) else None


def is_hub_reachable(repository: str) -> bool:
    """Return whether the Hub can be reached, within HUB_TIMEOUT_SECONDS.

    Its libraries would try for half a minute before they take what was downloaded before.
    """
    try:
        HfApi().model_info(repository, timeout=HUB_TIMEOUT_SECONDS)
    except HfHubHTTPError:
        return True  # it has something to say, which the download will tell
    except Exception:  # whatever the HTTP library that huggingface_hub took has for it
        return False
    return True
