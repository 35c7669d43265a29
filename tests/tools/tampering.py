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


class Bomb:
    """A pickle that leaves a file behind when somebody loads it."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        """Say what to call when it is unpickled."""
        return Path.touch, (self.proof,)


@dataclass(frozen=True)
class Weights:
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

    def flip(self, place: int) -> None:
        """Flip the lowest bit of a byte; negative places count from the end."""
        content = bytearray(self.path.read_bytes())
        content[place] ^= 1
        self.path.write_bytes(content)

    def largest(self, tensors: dict[str, Tensor]) -> str:
        """Return the name of the largest tensor."""
        return max(tensors, key=lambda name: tensors[name].numel())


def truncate(weights: Weights) -> None:
    """Half of the file, as a broken download leaves it."""
    os.truncate(weights.path, weights.path.stat().st_size // 2)


def empty(weights: Weights) -> None:
    """None of the file."""
    weights.path.write_bytes(b"")


def cut_the_last_byte(weights: Weights) -> None:
    """All but one byte."""
    os.truncate(weights.path, weights.path.stat().st_size - 1)


def flip_in_the_header(weights: Weights) -> None:
    """One bit among the names."""
    weights.flip(20)


def swap(weights: Weights) -> None:
    """Another training's file, of the same shapes."""
    shutil.copy(weights.other, weights.path)


def flip_in_the_tensors(weights: Weights) -> None:
    """One bit, which no library notices."""
    weights.flip(-1000)


def leave_out(weights: Weights) -> None:
    """No file."""
    weights.path.unlink()


def drop_a_tensor(weights: Weights) -> None:
    """A valid file with one tensor less."""
    weights.rewrite(lambda tensors: tensors.pop(weights.largest(tensors)))


def shrink_a_tensor(weights: Weights) -> None:
    """A valid file with one tensor of another shape."""

    def change(tensors: dict[str, Tensor]) -> None:
        name = weights.largest(tensors)
        tensors[name] = tensors[name][1:].contiguous()

    weights.rewrite(change)


def put_nan(weights: Weights) -> None:
    """A valid file, one number of which is none."""
    weights.rewrite(
        lambda tensors: tensors[weights.largest(tensors)].view(-1)[7:8].fill_(torch.nan)
    )


def put_infinity(weights: Weights) -> None:
    """A valid file, one number of which is infinite."""
    weights.rewrite(
        lambda tensors: tensors[weights.largest(tensors)].view(-1)[7:8].fill_(torch.inf)
    )


def pickle_instead(weights: Weights) -> None:
    """A pickle beside which no safetensors file lies."""
    weights.path.unlink()
    weights.path.with_suffix(".bin").write_bytes(pickle.dumps(Bomb(weights.proof)))


def pickle_that_calls_itself_safetensors(weights: Weights) -> None:
    """A pickle under the right name."""
    weights.path.write_bytes(pickle.dumps(Bomb(weights.proof)))


def torch_file_that_calls_itself_safetensors(weights: Weights) -> None:
    """What torch.save writes, under the right name."""
    torch.save({"bomb": Bomb(weights.proof)}, weights.path)


def link_out_of_the_folder(weights: Weights) -> None:
    """The right content, but from elsewhere."""
    elsewhere = weights.folder.parent / "elsewhere"
    os.replace(weights.path, elsewhere)
    weights.path.symlink_to(elsewhere)


def link_to_itself(weights: Weights) -> None:
    """A link in a circle."""
    weights.path.unlink()
    weights.path.symlink_to(weights.path)


def pipe_instead(weights: Weights) -> None:
    """A named pipe, on which a careless reader waits for ever."""
    weights.path.unlink()
    os.mkfifo(weights.path)


def list_of_other_files(weights: Weights) -> None:
    """An index that sends the library to files elsewhere."""
    index = {"metadata": {}, "weight_map": {"x": "../../elsewhere.safetensors"}}
    weights.path.with_suffix(".safetensors.index.json").write_text(json.dumps(index))


def adapter(weights: Weights) -> None:
    """What makes a library change the network."""
    (weights.path.parent / "adapter_config.json").write_text("{}")


SPOILT_FILES = (
    *(truncate, empty, cut_the_last_byte, flip_in_the_header, leave_out, drop_a_tensor),
    *(shrink_a_tensor, put_nan, put_infinity, pickle_instead, link_out_of_the_folder),
    *(pickle_that_calls_itself_safetensors, torch_file_that_calls_itself_safetensors),
    *(link_to_itself, pipe_instead, list_of_other_files, adapter),
)
"""What is refused with or without a manifest."""


def unlisted_tensors(weights: Weights) -> None:
    """One more safetensors file."""
    shutil.copy(weights.path, weights.path.with_suffix(".fp16.safetensors"))


def unlisted_pickle(weights: Weights) -> None:
    """A pickle beside the safetensors file."""
    weights.path.with_suffix(".bin").write_bytes(pickle.dumps(Bomb(weights.proof)))


def unlisted_code(weights: Weights) -> None:
    """A program beside the weights."""
    (weights.path.parent / "model.py").write_text("")


def unlisted_settings(weights: Weights) -> None:
    """A JSON file that a library may read."""
    (weights.path.parent / "added_tokens.json").write_text("{}")


def manifest_that_is_none(weights: Weights) -> None:
    """A manifest that lists nothing."""
    (weights.folder / MANIFEST).write_text("[]")


def manifest_cut_short(weights: Weights) -> None:
    """Half a manifest."""
    os.truncate(weights.folder / MANIFEST, 30)


def manifest_that_leads_out(weights: Weights) -> None:
    """A manifest that names a file elsewhere."""
    (weights.folder / MANIFEST).write_text(json.dumps({"../elsewhere": "0"}))


def manifest_without_the_weights(weights: Weights) -> None:
    """A manifest that was cut to what was not changed."""
    listed = json.loads((weights.folder / MANIFEST).read_text())
    del listed[weights.name]
    (weights.folder / MANIFEST).write_text(json.dumps(listed))


UNLIKE_THE_MANIFEST = (
    *(swap, flip_in_the_tensors, unlisted_tensors, unlisted_pickle, unlisted_code),
    *(unlisted_settings, manifest_that_is_none, manifest_cut_short, manifest_that_leads_out),
    manifest_without_the_weights,
)
"""What only a manifest can know."""
