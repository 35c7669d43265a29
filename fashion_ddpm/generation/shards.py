"""A folder of images in shards: each one written whole, none twice, none with other settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashion_ddpm.core.json_files import TEMPORARY_SUFFIX, read_object, write_object
from fashion_ddpm.core.requests import GenerateRequest, RequestError
from fashion_ddpm.generation.files import is_one_file

SIZE = 10_000
"""Images of a shard where nobody asked for another size: a folder takes no more files than that."""

SETTINGS_FILE = "shards.json"


@dataclass(frozen=True)
class Shards:
    """Where each image of a request lies: shard i holds the images from i · size on.

    Attributes:
        folder: where they lie; nothing else may.
        request: all the images.
        size: images of a shard; the last one may have fewer.
        weights: checksum of the network that draws them.
    """

    folder: Path
    request: GenerateRequest
    size: int
    weights: str

    @property
    def count(self) -> int:
        """How many shards there are in the end."""
        return -(-self.request.num_images // self.size)

    def path(self, index: int) -> Path:
        """Return a shard's file."""
        return self.folder / f"shard-{index:06d}.npz"

    def rows(self, shard: int) -> range:
        """Return the indices of a shard's images in the request."""
        return range(self.request.num_images)[shard * self.size :][: self.size]

    def missing(self) -> list[int]:
        """Return the shards that are still to be made; a file that is there is whole."""
        return [index for index in range(self.count) if not self.path(index).exists()]

    def settings(self) -> dict[str, Any]:
        """Return what must not change between the runs that fill a folder."""
        return {
            **self.request.as_settings(),
            "shard_size": self.size,
            "weights_sha256": self.weights,
        }

    def check(self) -> None:
        """Raise RequestError when the folder cannot take these shards; change nothing."""
        file, mine = self.folder / SETTINGS_FILE, self.settings()
        if file.exists():
            found = read_object(file, "restore it, or name a new folder")
            others = [
                f"{name} {found.get(name)!r}, not {value!r}"
                for name, value in mine.items()
                if found.get(name) != value
            ]
            if others:
                raise RequestError(
                    f"--output {self.folder} holds shards of another run ({'; '.join(others)}): "
                    "name a new folder, or repeat that run's settings to go on with it."
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

    def begin(self) -> None:
        """Make the folder and write the settings into it, unless an earlier run has."""
        file = self.folder / SETTINGS_FILE
        if file.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        write_object(file, self.settings())


def shard_size(output: Path, num_images: int, wanted: int | None) -> int | None:
    """Return the size of the shards that an output is written in, or None for another form.

    Raises:
        RequestError: shards are wanted of a size, or in a place, that cannot be.
    """
    if wanted is None:
        return SIZE if num_images > SIZE and not is_one_file(output) else None
    if wanted < 1:
        raise RequestError(f"--shard-size is {wanted}; it must be at least 1.")
    if is_one_file(output):
        raise RequestError(
            f"--shard-size is {wanted}, but --output is {output}, one file; name a folder."
        )
    return wanted
