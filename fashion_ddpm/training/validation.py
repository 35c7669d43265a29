"""Measurements during a run: held-out loss, previews, Fréchet distance."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import PartialState
from PIL import Image
from torch import Tensor

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.core.distributed import gather_parts
from fashion_ddpm.core.image_kind import ALL_CLASSES
from fashion_ddpm.core.images import to_model
from fashion_ddpm.core.requests import GenerateRequest, sampler_defaults
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.loss import Draws
from fashion_ddpm.evaluation.image_sets import load_matching_classifier
from fashion_ddpm.evaluation.metrics import frechet_distance
from fashion_ddpm.generation.generate import generate_together
from fashion_ddpm.generation.preview import draw_preview_share, save_preview
from fashion_ddpm.training.network import Network
from fashion_ddpm.training.run_log import RunLog

LEVEL_BINS = 4
SEED = 1
LOSS_BATCH_SIZE = 250
SAMPLE_BATCH_SIZE = 64

FRECHET_STEPS = 10
"""Sampling steps for the Fréchet distance; twenty lower it by a tenth, see docs/experiments.md."""


@torch.no_grad()
def validation_sums(
    losses: Callable[[Tensor, Tensor, Draws], Tensor],
    num_train_timesteps: int,
    data: LabelledImages,
    rank: int = 0,
    num_ranks: int = 1,
) -> Tensor:
    """Return one rank's part of the sums; their total does not depend on the number of ranks.

    Args:
        losses: (images [B, C, S, S], labels [B], draws) → each image's loss [B].
        num_train_timesteps: T of the network's noise schedule.
        data: the validation images; each gets the same noise every time.
        rank: this process takes images rank, rank + num_ranks, …
        num_ranks: number of processes.

    Returns:
        float64 [2, LEVEL_BINS]: sums of the loss, and counts, by quarter of the timesteps.
    """
    sums = torch.zeros(2, LEVEL_BINS, dtype=torch.float64)
    draws, device = _draw_fixed_noise(data, num_train_timesteps), data.images.device
    for indices in torch.arange(rank, len(data), num_ranks).split(LOSS_BATCH_SIZE):
        images, labels = (t[indices.to(device)] for t in (data.images, data.labels))
        part = draws[indices]
        bins = part.timesteps * LEVEL_BINS // num_train_timesteps
        batch_losses = losses(to_model(images), labels, part.to(device))
        sums[0].index_add_(0, bins, batch_losses.double().cpu())
        sums[1] += torch.bincount(bins, minlength=LEVEL_BINS)
    return sums


def _draw_fixed_noise(data: LabelledImages, num_train_timesteps: int) -> Draws:
    """Draw noise from a fixed seed, with timesteps spread evenly over the images."""
    generator = torch.Generator().manual_seed(SEED)
    count = len(data)
    quantiles = (torch.randperm(count, generator=generator) + 0.5) / count
    noise = torch.randn((count, *data.kind.shape), generator=generator)
    timesteps = (quantiles * num_train_timesteps).long()
    return Draws(timesteps, noise, torch.zeros(count, dtype=torch.bool))


@dataclass(frozen=True)
class Validation:
    """The validations of one run, with the EMA weights.

    Attributes:
        network: the run's network.
        held_out: the validation split.
        ranks: accelerate's state of this process.
        run_log: records the results.
    """

    network: Network
    held_out: LabelledImages
    ranks: PartialState
    run_log: RunLog

    def validate(self) -> None:
        """Log the validation loss."""
        config = self.network.config
        rank, num_ranks = self.ranks.process_index, self.ranks.num_processes
        data = self.held_out.take(config.validation_images).to(self.ranks.device)
        with self.network.ema_pipeline():
            sums = validation_sums(
                self.network.validation_losses, config.num_train_timesteps, data, rank, num_ranks
            )
        parts = gather_parts(sums)
        self.run_log.record_validation(sum(parts[1:], parts[0]))

    def preview(self, path: Path, show: Callable[[Image.Image], None]) -> None:
        """Save how each class emerges from noise, and pass the picture to show."""
        with self.network.ema_pipeline() as pipeline:
            parts = gather_parts(
                draw_preview_share(pipeline, self.ranks.process_index, self.ranks.num_processes)
            )
        if self.ranks.is_main_process:
            with atomic_folders.report_write_errors(path):
                picture = save_preview((share for part in parts for share in part), path)
            show(picture)

    def log_frechet_distance(self) -> bool:
        """Log the Fréchet distance from samples to held-out images, in the classifier's features.

        Returns:
            Whether it is the smallest so far; False if there is no classifier for the images.
        """
        classifier = load_matching_classifier(None, self.network.kind)
        if classifier is None:
            return False
        with self.network.ema_pipeline() as pipeline:
            sampler = pipeline.default_settings.sampler
            request = GenerateRequest(
                ALL_CLASSES,
                self.network.config.frechet_images,
                sampler=sampler,
                class_names=pipeline.class_names,
                **sampler_defaults(sampler, FRECHET_STEPS),
            )
            generated = generate_together(
                pipeline, request, SAMPLE_BATCH_SIZE, self.ranks, silent=True
            )
        samples, real = (classifier.features(s.images) for s in (generated.images, self.held_out))
        return self.run_log.record_frechet_distance(frechet_distance(samples, real))
