"""Damaged and malicious folders of weights."""

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
    """A pickle that creates a file when it is loaded."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the call that unpickling makes."""
        return Path.touch, (self.proof,)


@dataclass(frozen=True)
class WeightsFolder:
    """A copy of a folder, to be damaged.

    Attributes:
        folder: the copy.
        name: its file of tensors, relative to it.
        other: a file of tensors from another training.
        proof: a file that only a loaded pickle creates.
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
        """Change the tensors; the file stays valid."""
        tensors = {name: value.clone() for name, value in load_file(self.path).items()}
        change(tensors)
        save_file(tensors, self.path, metadata={"format": "pt"})

    def rewrite_largest(self, change: Callable[[Tensor], Tensor]) -> None:
        """Change the largest tensor; the file stays valid."""

        def change_it(tensors: dict[str, Tensor]) -> None:
            name = max(tensors, key=lambda name: tensors[name].numel())
            tensors[name] = change(tensors[name]).contiguous()

        self.rewrite(change_it)

    def flip_bit(self, index: int) -> None:
        """Flip the lowest bit of a byte; negative indices count from the end."""
        content = bytearray(self.path.read_bytes())
        content[index] ^= 1
        self.path.write_bytes(content)

    def truncate(self, size: int) -> None:
        """Keep the first bytes, or with a negative size all but the last."""
        os.truncate(self.path, size if size >= 0 else self.path.stat().st_size + size)

    def link_to(self, target: Path) -> None:
        """Move the file to a target, and replace it by a link to it (or to itself)."""
        os.replace(self.path, target)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(target)

    def replace_by_pipe(self) -> None:
        """Replace the file by a named pipe, on which a reader could wait forever."""
        self.path.unlink()
        os.mkfifo(self.path)

    def add(self, suffix: str, content: bytes) -> None:
        """Write a file beside the tensors, of the same name with another suffix."""
        self.path.with_suffix(suffix).write_bytes(content)

    def make_bomb(self) -> bytes:
        """Return a pickle that creates the proof when it is loaded."""
        return pickle.dumps(PickleBomb(self.proof))

    def replace_by_pickle(self) -> None:
        """Replace the safetensors file by a pickle."""
        self.path.unlink()
        self.add(".bin", self.make_bomb())

    def change_manifest(self, change: Callable[[dict[str, str]], object]) -> None:
        """Change the content of the manifest."""
        listed = json.loads((self.folder / MANIFEST).read_text())
        change(listed)
        (self.folder / MANIFEST).write_text(json.dumps(listed))


Spoil = Callable[[WeightsFolder], object]

FOREIGN_INDEX = b'{"metadata": {}, "weight_map": {"x": "../../elsewhere.safetensors"}}'
"""An index that names files outside the folder."""

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
"""Damage that is refused with or without a manifest."""

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
"""Damage that only a manifest reveals."""


def set_one_value(tensor: Tensor, number: float) -> Tensor:
    """Set one element of a tensor."""
    tensor.view(-1)[7] = number
    return tensor
