"""FashionDDPMPipeline: load a checkpoint and generate images with any schedule and sampler."""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, LCMScheduler, UNet2DModel
from torch import Tensor

from fashion_ddpm.checkpoints.atomic_folders import recover_folder
from fashion_ddpm.checkpoints.downloads import fetch_checkpoint
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import distilled_folder, read_run
from fashion_ddpm.checkpoints.verify import (
    INDEX_FILE,
    check_files,
    check_network,
    make_id2label,
    parse_class_names,
)
from fashion_ddpm.core.config import TURBO, TURBO_SCHEDULE, TURBO_STEPS
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import CLASS_NAMES, ImageKind
from fashion_ddpm.core.images import to_uint8
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.sampling import (
    NOISE,
    DenoisingStep,
    PartialTrajectory,
    SamplingSettings,
    Start,
    denoise,
    unet_predictor,
)
from fashion_ddpm.diffusion.standalone_pipeline import ClassConditionalPipeline, Labels


@dataclass(frozen=True)
class Batch:
    """Finished images.

    Attributes:
        images: uint8 [B, H, W] grey, or [B, H, W, 3] in colour, 0 black … 255 white.
        labels: int64 [B].
        seeds: B seeds, one an image.
        finite: bool [B], whether the network's output was finite; if not, the image is grey.
    """

    images: Tensor
    labels: Tensor
    seeds: list[int]
    finite: Tensor


class FashionDDPMPipeline(ClassConditionalPipeline):
    """A UNet, the noise schedule it was trained on, and the names of its classes.

    Unlike the class that diffusers loads alone, it knows other sampling schedules, begins anywhere
    and draws an image bit-identically in any batch.

    Attributes:
        predict: how the UNet is called; a server replaces it by a BatchingUNet.
    """

    def __init__(
        self,
        unet: UNet2DModel,
        scheduler: DDPMScheduler,
        id2label: dict[str, str] | None = None,
        sampler: str | None = None,
    ) -> None:
        if sampler == TURBO:  # diffusers' name of the steps of a ConsistencySampler
            length = scheduler.config["num_train_timesteps"]
            scheduler = LCMScheduler.from_config(scheduler.config, original_inference_steps=length)
        super().__init__(unet, scheduler, id2label or make_id2label(CLASS_NAMES), sampler)
        self.predict: Predictor = unet_predictor(unet)

    @classmethod
    def from_pretrained(cls, checkpoint: str | Path, device: str = "cpu") -> "FashionDDPMPipeline":
        """Load a checkpoint as load_pipeline does, without running code that comes with it."""
        return load_pipeline(checkpoint, device)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class names, in label order."""
        return parse_class_names(self.config)

    @property
    def kind(self) -> ImageKind:
        """Classes, size and colours of the network's images."""
        config = self.unet.config
        return ImageKind(self.class_names, config["sample_size"], config["in_channels"])

    @property
    def default_settings(self) -> SamplingSettings:
        """The sampling settings used if none are given."""
        turbo = SamplingSettings(TURBO_SCHEDULE, TURBO, TURBO_STEPS)
        return turbo if self.is_distilled else SamplingSettings()

    @functools.cached_property
    def distilled_network(self) -> "FashionDDPMPipeline | None":
        """The network distilled from this one, loaded from the folder beside it, or None.

        Raises:
            CheckpointError: it cannot be loaded, or was distilled from another network.
        """
        folder = distilled_folder(self.name_or_path or "")
        if self.is_distilled or not (folder / INDEX_FILE).exists():
            return None
        if read_run(folder).get("teacher", {}).get("weights_sha256") != weights_hash(self):
            raise CheckpointError(
                f"{folder} was not distilled from {self.name_or_path}; distil anew with "
                f"train_accelerate.py --preset distill --teacher {self.name_or_path}, or remove it."
            )
        return load_pipeline(folder, str(self.device))

    def network_for(self, sampler: str) -> "FashionDDPMPipeline":
        """Return the pipeline for a sampler: the distilled one for turbo, else this one.

        Raises:
            CheckpointError: the sampler is turbo, and there is no distilled network.
        """
        if sampler != TURBO or self.is_distilled:
            return self
        if self.distilled_network is None:
            raise CheckpointError(
                f"sampler {TURBO} needs a distilled network, which this checkpoint is not; choose "
                "another sampler, or name one that train_accelerate.py --preset distill made."
            )
        return self.distilled_network

    def stream(
        self,
        labels: Sequence[int],
        seeds: Sequence[int],
        settings: SamplingSettings,
        start: Start | PartialTrajectory = NOISE,
    ) -> Iterator[DenoisingStep]:
        """Yield every denoising step of one batch; image i depends on its label and seed alone.

        Args:
            labels: B labels.
            seeds: B seeds.
            settings: schedule, sampler, steps and guidance.
            start: where to start.

        Raises:
            CheckpointError: the sampler is turbo, and there is no distilled network.
        """
        network = self.network_for(settings.sampler)
        device_labels = torch.tensor(labels, device=self.device)
        predict, scheduler = network.predict, network.scheduler
        return denoise(predict, scheduler, device_labels, seeds, settings, start, kind=self.kind)

    def generate(
        self,
        labels: Sequence[int],
        seeds: Sequence[int],
        settings: SamplingSettings | None = None,
        batch_size: int = 64,
    ) -> Iterator[Batch]:
        """Yield finished images, batch by batch; image i is the same in any batch size.

        Args:
            labels: N labels.
            seeds: N seeds.
            settings: schedule, sampler, steps and guidance; default: default_settings.
            batch_size: images denoised together.
        """
        for start in range(0, len(labels), batch_size):
            part, part_seeds = labels[start:][:batch_size], seeds[start:][:batch_size]
            *_, last = self.stream(part, part_seeds, settings or self.default_settings)
            clean = last.clean.cpu()
            finite = clean.isfinite().flatten(1).all(dim=1)
            yield Batch(to_uint8(clean.nan_to_num()), torch.tensor(part), list(part_seeds), finite)

    def stream_request(self, request: GenerateRequest) -> Iterator[DenoisingStep]:
        """Yield every denoising step of a request's images, in one batch."""
        return self.stream(
            request.labels(), request.seeds(), SamplingSettings.from_request(request)
        )

    def generate_request(
        self, request: GenerateRequest, batch_size: int = 64, indices: range | None = None
    ) -> Iterator[Batch]:
        """Yield the finished images of a request, or those of given indices, batch by batch."""
        labels, seeds = request.labels(), request.seeds()
        indices = range(request.num_images) if indices is None else indices
        return self.generate(
            [labels[index] for index in indices],
            [seeds[index] for index in indices],
            SamplingSettings.from_request(request),
            batch_size,
        )

    def __call__(
        self,
        class_labels: Labels,
        *,
        seed: int | None = None,
        settings: SamplingSettings | None = None,
        **options: Any,
    ) -> Any:
        """Return images of the given classes.

        With a seed or settings they are those of the demo: image i from seed + i, uint8
        [N, H, W(, 3)]. Otherwise they are drawn, and returned, as by ClassConditionalPipeline,
        which has the options.

        Raises:
            ValueError: a class does not exist, or options are given with a seed or settings.
        """
        if seed is None and settings is None:
            return super().__call__(class_labels, **options)
        if options:
            raise ValueError(
                f"{', '.join(options)} cannot be given with seed or settings, by which the images "
                "are the demo's: name steps and guidance in settings=SamplingSettings(…), or leave "
                "both out."
            )
        labels = self.label_ids(class_labels)
        first = seed or 0
        batches = self.generate(labels, range(first, first + len(labels)), settings)
        return torch.cat([batch.images for batch in batches])


def load_pipeline(checkpoint: str | Path, device: str = "cpu") -> FashionDDPMPipeline:
    """Load and check a folder, or USER/NAME@REVISION on the Hub: safetensors only, in float32.

    Returns:
        The pipeline, ready to generate; its name_or_path is the folder, or USER/NAME@COMMIT.

    Raises:
        CheckpointError: it does not exist, is no FashionDDPMPipeline, or a file is damaged.
    """
    folder, name = Path(checkpoint), str(checkpoint)
    recover_folder(folder)
    if folder.is_dir() and not (folder / INDEX_FILE).exists():
        raise CheckpointError(
            f"{checkpoint} has no {INDEX_FILE}; name a folder that a training run wrote."
        )
    try:
        if not folder.is_dir():
            folder, name = fetch_checkpoint(name)
        pipeline = _load_components(folder)
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint} could not be loaded: {error}.") from error
    except Exception as error:  # a damaged file can raise anything
        raise CheckpointError(
            f"{checkpoint} could not be loaded ({reason(error)}); name a folder that "
            "a training run wrote, or a Hub repository that holds one."
        ) from error
    pipeline.register_to_config(_name_or_path=name)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.unet.eval().to(memory_format=torch.channels_last)  # a fifth faster on a CPU
    loaded: FashionDDPMPipeline = pipeline.to(device)
    return loaded


def _load_components(folder: Path) -> FashionDDPMPipeline:
    """Load a folder's UNet and scheduler after checking it, whatever classes it names."""
    names, sampler = check_files(folder)
    unet = UNet2DModel.from_pretrained(
        folder, subfolder="unet", use_safetensors=True, dtype=torch.float32
    )
    scheduler = DDPMScheduler.from_pretrained(folder, subfolder="scheduler")
    check_network(unet, scheduler, folder, names)
    return FashionDDPMPipeline(unet, scheduler, make_id2label(names), sampler)


MODEL_DIGITS = 12
"""Hex digits of the checksum in links and pictures."""


def short_weights_hash(pipeline: FashionDDPMPipeline) -> str:
    """Return the first digits of weights_hash, by which links and pictures name the weights."""
    return weights_hash(pipeline)[:MODEL_DIGITS]


def weights_hash(pipeline: FashionDDPMPipeline) -> str:
    """Return a checksum of the network's weights, independent of file names and formats."""
    digest = hashlib.sha256()
    for name, value in sorted(pipeline.unet.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()
