"""Ways in which a folder of weights can be spoilt, by accident or on purpose."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from fashion_ddpm.checkpoints.manifest import MANIFEST


class PickleBomb:
    """A pickle that leaves a file behind when somebody loads it."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        """Say what to call when it is unpickled."""
        return Path.touch, (self.proof,)


@dataclass(frozen=True)
class WeightsFolder:
    """A copy of a folder, to be spoilt.

    Attributes:
        folder: the copy.
        name: its file of tensors, relative to it.
        other: another file of the same kind, from another training.
        proof: a file that only a loaded pickle would make.
    """

    folder: Path
    name: str
    other: Path
    proof: Path

    @property
    def path(self) -> Path:
        """The file of tensors."""
        return self.folder / self.name

    def rewrite(self, change: Callable[[dict[str, Tensor]], object]) -> None:
        """Change the tensors inside a file that stays valid."""
        tensors = {name: value.clone() for name, value in load_file(self.path).items()}
        change(tensors)
        save_file(tensors, self.path, metadata={"format": "pt"})

    def rewrite_largest(self, change: Callable[[Tensor], Tensor]) -> None:
        """Change the largest tensor inside a file that stays valid."""

        def change_it(tensors: dict[str, Tensor]) -> None:
            name = max(tensors, key=lambda name: tensors[name].numel())
            tensors[name] = change(tensors[name]).contiguous()

        self.rewrite(change_it)

    def flip_bit(self, place: int) -> None:
        """Flip the lowest bit of a byte; negative places count from the end."""
        content = bytearray(self.path.read_bytes())
        content[place] ^= 1
        self.path.write_bytes(content)

    def truncate(self, size: int) -> None:
        """Keep so many bytes; with a negative size all but so many."""
        os.truncate(self.path, size if size >= 0 else self.path.stat().st_size + size)

    def link_to(self, target: Path) -> None:
        """Put a link in the place of the file, which moves to its target unless that is itself."""
        os.replace(self.path, target)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(target)

    def replace_by_pipe(self) -> None:
        """Put a named pipe there, on which a careless reader waits for ever."""
        self.path.unlink()
        os.mkfifo(self.path)

    def add(self, ending: str, content: bytes) -> None:
        """Write a file beside the tensors, of the same name with another ending."""
        self.path.with_suffix(ending).write_bytes(content)

    def make_bomb(self) -> bytes:
        """Return a pickle that leaves the proof behind when it is loaded."""
        return pickle.dumps(PickleBomb(self.proof))

    def replace_by_pickle(self) -> None:
        """Leave a pickle, and no safetensors file."""
        self.path.unlink()
        self.add(".bin", self.make_bomb())

    def change_manifest(self, change: Callable[[dict[str, str]], object]) -> None:
        """Write another manifest than the folder's."""
        listed = json.loads((self.folder / MANIFEST).read_text())
        change(listed)
        (self.folder / MANIFEST).write_text(json.dumps(listed))


Spoil = Callable[[WeightsFolder], object]

FOREIGN_INDEX = b'{"metadata": {}, "weight_map": {"x": "../../elsewhere.safetensors"}}'
"""An index that sends a library to other files."""

SPOILT_FILES: dict[str, Spoil] = {
    "half": lambda weights: weights.truncate(weights.path.stat().st_size // 2),
    "empty": lambda weights: weights.truncate(0),
    "all but a byte": lambda weights: weights.truncate(-1),
    "a bit among the names": lambda weights: weights.flip_bit(20),
    "missing": lambda weights: weights.path.unlink(),
    "a tensor less": lambda weights: weights.rewrite(dict.popitem),
    "a tensor of another shape": lambda weights: weights.rewrite_largest(lambda big: big[1:]),
    "NaN": lambda weights: weights.rewrite_largest(lambda big: set_one_value(big, torch.nan)),
    "infinity": lambda weights: weights.rewrite_largest(lambda big: set_one_value(big, torch.inf)),
    "a pickle": lambda weights: weights.replace_by_pickle(),
    "a pickle under its name": lambda weights: weights.path.write_bytes(weights.make_bomb()),
    "a torch file": lambda weights: torch.save({"bomb": PickleBomb(weights.proof)}, weights.path),
    "a link that leads out": lambda weights: weights.link_to(weights.folder.parent / "elsewhere"),
    "a link to itself": lambda weights: weights.link_to(weights.path),
    "a pipe": lambda weights: weights.replace_by_pipe(),
    "a list of other files": lambda weights: weights.add(".safetensors.index.json", FOREIGN_INDEX),
    "an adapter": lambda weights: (weights.path.parent / "adapter_config.json").write_text("{}"),
}
"""What is refused with or without a manifest."""

MANIFEST_MISMATCHES: dict[str, Spoil] = {
    "another training's file": lambda weights: shutil.copy(weights.other, weights.path),
    "a bit that no library notices": lambda weights: weights.flip_bit(-1000),
    "unlisted tensors": lambda weights: weights.add(".fp16.safetensors", weights.path.read_bytes()),
    "an unlisted pickle": lambda weights: weights.add(".bin", weights.make_bomb()),
    "unlisted code": lambda weights: weights.add(".py", b""),
    "unlisted settings": lambda weights: weights.add(".json", b"{}"),
    "no list": lambda weights: (weights.folder / MANIFEST).write_text("[]"),
    "half a list": lambda weights: os.truncate(weights.folder / MANIFEST, 30),
    "a list that leads out": lambda weights: weights.change_manifest(
        lambda listed: listed.update({"../elsewhere": "0"})
    ),
    "a list without the weights": lambda weights: weights.change_manifest(
        lambda listed: listed.pop(weights.name)
    ),
}
"""What only a manifest can know."""


def set_one_value(tensor: Tensor, number: float) -> Tensor:
    """Put a number at one place of a tensor."""
    tensor.view(-1)[7] = number
    return tensor
