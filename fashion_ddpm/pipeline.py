"""FashionDDPMPipeline: a diffusers folder that loads, generates and saves."""

import hashlib
import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, DiffusionPipeline, UNet2DModel
from torch import Tensor

from fashion_ddpm.errors import UserError, reason
from fashion_ddpm.images import to_uint8
from fashion_ddpm.labels import CLASS_NAMES, ImageKind
from fashion_ddpm.objective import Predictor
from fashion_ddpm.sampling import (
    NOISE,
    DenoisingStep,
    Midway,
    SamplingSettings,
    Start,
    denoise,
    in_chunks,
)

RUN_FILE = "run.json"
BUNDLED = Path(__file__).parent.parent / "checkpoints"
BUNDLED_CHECKPOINT = BUNDLED / "fashion-mnist"


class CheckpointError(UserError):
    """A checkpoint cannot be loaded; the message is one sentence with the fix."""


@dataclass(frozen=True)
class Batch:
    """Finished images.

    Attributes:
        images: uint8 [B, H, W] grey, or [B, H, W, 3] in colour, 0 black … 255 white.
        labels: int64 [B].
        seeds: B seeds, one an image.
        finite: bool [B], whether the network's output was a number; if not, the image is grey.
    """

    images: Tensor
    labels: Tensor
    seeds: list[int]
    finite: Tensor


class FashionDDPMPipeline(DiffusionPipeline):
    """A UNet, the noise schedule it was trained on, and the names of its classes.

    Attributes:
        predict: how the UNet is called; a server puts one here that many requests share.
    """

    def __init__(
        self,
        unet: UNet2DModel,
        scheduler: DDPMScheduler,
        id2label: dict[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.register_modules(unet=unet, scheduler=scheduler)
        self.predict: Predictor = in_chunks(unet)
        self.register_to_config(id2label=id2label or numbered(CLASS_NAMES))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class names, in label order."""
        return _in_order(self.config["id2label"])

    @property
    def kind(self) -> ImageKind:
        """What the network draws."""
        config = self.unet.config
        return ImageKind(self.class_names, config["sample_size"], config["in_channels"])

    def stream(
        self,
        labels: Sequence[int],
        seeds: Sequence[int],
        settings: SamplingSettings,
        start: Start | Midway = NOISE,
    ) -> Iterator[DenoisingStep]:
        """Yields every denoising step of one batch; image i depends on its label and seed alone.

        Args:
            labels: B labels.
            seeds: B seeds.
            settings: schedule, sampler, steps and guidance.
            start: where to begin.
        """
        on_device = torch.tensor(labels, device=self.device)
        return denoise(self.predict, self.scheduler, on_device, seeds, settings, start, self.kind)

    def generate(
        self,
        labels: Sequence[int],
        seeds: Sequence[int],
        settings: SamplingSettings | None = None,
        batch_size: int = 64,
    ) -> Iterator[Batch]:
        """Yields finished images, batch by batch; image i is the same in any batch size.

        Args:
            labels: N labels.
            seeds: N seeds.
            settings: schedule, sampler, steps and guidance; the defaults when not given.
            batch_size: images that are denoised together.
        """
        for start in range(0, len(labels), batch_size):
            part, part_seeds = labels[start:][:batch_size], seeds[start:][:batch_size]
            *_, last = self.stream(part, part_seeds, settings or SamplingSettings())
            clean = last.clean.cpu()
            finite = clean.isfinite().flatten(1).all(dim=1)
            yield Batch(to_uint8(clean.nan_to_num()), torch.tensor(part), list(part_seeds), finite)

    def __call__(
        self,
        class_labels: list[int],
        seed: int = 0,
        settings: SamplingSettings | None = None,
    ) -> Tensor:
        """Returns images of the given classes, image i from seed + i: uint8 [N, H, W(, 3)]."""
        seeds = range(seed, seed + len(class_labels))
        return torch.cat([batch.images for batch in self.generate(class_labels, seeds, settings)])


def numbered(class_names: Sequence[str]) -> dict[str, str]:
    """Returns label → class name as model_index.json has it: JSON knows only strings as keys."""
    return {str(label): name for label, name in enumerate(class_names)}


def _in_order(id2label: dict[str, str]) -> tuple[str, ...]:
    return tuple(id2label[label] for label in sorted(id2label, key=int))


def class_names_of(checkpoint: str | Path) -> tuple[str, ...]:
    """Returns the names of a checkpoint's classes, without loading its weights.

    Raises:
        CheckpointError: it is not there, or it is not such a pipeline.
    """
    with _loading(checkpoint), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # diffusers still asks the Hub's library in its old way
        return _in_order(FashionDDPMPipeline.load_config(str(checkpoint))["id2label"])


@contextmanager
def _loading(checkpoint: str | Path) -> Iterator[None]:
    """Turns what goes wrong while a folder or a Hub repository is loaded into one sentence."""
    folder = Path(checkpoint)
    if folder.is_dir() and not (folder / "model_index.json").exists():
        raise CheckpointError(
            f"{checkpoint} has no model_index.json; name a folder that train_accelerate.py wrote."
        )
    try:
        yield
    except (OSError, ValueError, RuntimeError, AttributeError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"{checkpoint} could not be loaded ({reason(error)}); name a folder that "
            "train_accelerate.py wrote, or a Hub repository that holds one."
        ) from error


def load_pipeline(checkpoint: str | Path, device: str = "cpu") -> FashionDDPMPipeline:
    """Loads a folder or a Hub repository, safetensors only, float32, ready to generate.

    Raises:
        CheckpointError: it is not there, or it is not such a pipeline.
    """
    with _loading(checkpoint):
        pipeline = FashionDDPMPipeline.from_pretrained(
            str(checkpoint), use_safetensors=True, dtype=torch.float32
        )
    if pipeline.unet.config["num_class_embeds"] != pipeline.kind.null_label + 1:
        raise CheckpointError(
            f"{checkpoint} names {pipeline.kind.null_label} classes, but its network has "
            f"{pipeline.unet.config['num_class_embeds']} rows for them and for no class; copy the "
            "checkpoint anew."
        )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.unet.eval().to(memory_format=torch.channels_last)  # a fifth faster on a CPU
    loaded: FashionDDPMPipeline = pipeline.to(device)
    return loaded


def read_run(checkpoint: str | Path) -> dict[str, Any]:
    """Returns what run.json in a folder says of a checkpoint's training, or an empty dict."""
    path = Path(checkpoint) / RUN_FILE
    return dict(json.loads(path.read_text())) if path.exists() else {}


def weights_hash(pipeline: FashionDDPMPipeline) -> str:
    """Returns a checksum of the network's weights, the same wherever the checkpoint lies."""
    digest = hashlib.sha256()
    for name, value in sorted(pipeline.unet.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()
