"""A folder of images in shards: files written atomically, once, all with the same settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashion_ddpm.core.json_files import TEMPORARY_SUFFIX, read_object, write_object
from fashion_ddpm.core.requests import GenerateRequest, RequestError
from fashion_ddpm.generation.files import is_one_file

DEFAULT_SHARD_SIZE = 10_000
"""Images per shard by default; an output of more images than this is written in shards."""

SETTINGS_FILE = "shards.json"


@dataclass(frozen=True)
class Shards:
    """The shards of a request's images: shard i holds the images from i · size on.

    Attributes:
        folder: it contains nothing else.
        request: of all images.
        size: images per shard; the last one may have fewer.
        weights: checksum of the network's weights.
    """

    folder: Path
    request: GenerateRequest
    size: int
    weights: str

    @property
    def count(self) -> int:
        """Number of shards."""
        return -(-self.request.num_images // self.size)

    def path(self, index: int) -> Path:
        """Return a shard's file."""
        return self.folder / f"shard-{index:06d}.npz"

    def rows(self, shard: int) -> range:
        """Return the indices of a shard's images in the request."""
        return range(self.request.num_images)[shard * self.size :][: self.size]

    def find_missing(self) -> list[int]:
        """Return the shards without a file; existing files are complete."""
        return [index for index in range(self.count) if not self.path(index).exists()]

    def settings(self) -> dict[str, Any]:
        """Return the settings that all runs on a folder must share."""
        return {
            **self.request.as_settings(),
            "shard_size": self.size,
            "weights_sha256": self.weights,
        }

    def check(self) -> None:
        """Raise RequestError if the folder contains anything but shards with these settings."""
        file, settings = self.folder / SETTINGS_FILE, self.settings()
        if file.exists():
            found = read_object(file, "restore it, or name a new folder")
            differences = [
                f"{name} {found.get(name)!r}, not {value!r}"
                for name, value in settings.items()
                if found.get(name) != value
            ]
            if differences:
                raise RequestError(
                    f"--output {self.folder} holds shards of another run "
                    f"({'; '.join(differences)}): name a new folder, or repeat that run's settings "
                    "to go on with it."
                )
        elif self.folder.exists() and not self._is_empty():
            raise RequestError(
                f"--output {self.folder} exists and is neither an empty folder nor one of shards; "
                "name a new one."
            )

    def _is_empty(self) -> bool:
        half_written = SETTINGS_FILE + TEMPORARY_SUFFIX
        return self.folder.is_dir() and {path.name for path in self.folder.iterdir()} <= {
            half_written
        }

    def create_folder(self) -> None:
        """Create the folder with a file of the settings, unless an earlier run has."""
        file = self.folder / SETTINGS_FILE
        if file.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        write_object(file, self.settings())


def shard_size(output: Path, num_images: int, requested: int | None) -> int | None:
    """Return the shard size for an output, or None if it is not written in shards.

    Raises:
        RequestError: the requested size is below 1, or the output is a single file.
    """
    if requested is None:
        return (
            DEFAULT_SHARD_SIZE
            if num_images > DEFAULT_SHARD_SIZE and not is_one_file(output)
            else None
        )
    if requested < 1:
        raise RequestError(f"--shard-size is {requested}; it must be at least 1.")
    if is_one_file(output):
        raise RequestError(
            f"--shard-size is {requested}, but --output is {output}, one file; name a folder."
        )
    return requested
