"""The network during training: its loss, its optimizer, its averaged weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DModel
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from fashion_ddpm.checkpoints.verify import make_id2label
from fashion_ddpm.core.config import TURBO, TrainConfig
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.diffusion.consistency_loss import consistency_losses, gap_at
from fashion_ddpm.diffusion.loss import (
    Draws,
    laplace_probabilities,
    loss_per_image,
    min_snr_weight,
    sample_draws,
)
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.training.power_averages import PowerAverages

ADAMW_LAYERS = ("conv_in.", "conv_out.", "class_embedding.")
"""Prefixes of the layers that Muon should not train: input, output and embedding."""


def build_optimizer(unet: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return the run's optimizer: AdamW, or Muon for matrices and AdamW for the rest."""
    common: dict[str, Any] = {
        "lr": config.learning_rate,
        "betas": (config.adam_beta1, config.adam_beta2),
        "weight_decay": config.weight_decay,
        "eps": 1e-8,
    }
    if config.optimizer == "adamw":
        return torch.optim.AdamW(unet.parameters(), **common)
    from timm.optim.muon import Muon

    named = dict(unet.named_parameters())
    rest = {name for name, p in named.items() if p.ndim < 2 or name.startswith(ADAMW_LAYERS)}
    groups: list[dict[str, Any]] = [
        {"params": [p for name, p in named.items() if name not in rest]},
        {"params": [p for name, p in named.items() if name in rest], "use_fallback": True},
    ]
    return Muon(groups, nesterov=True, **common)


class Network:
    """A network during training and the averages of its weights.

    Attributes:
        prepared_unet: the network as accelerate.prepare returns it, used for forward passes.
        unet: the same network without wrappers, used to read its weights.
        ema: the moving average of the weights, which checkpoints hold.
        power_averages: averages from which one of any length can be rebuilt.
        kind: the kind of images that the network draws.
    """

    def __init__(
        self,
        prepared_unet: nn.Module,
        unet: UNet2DModel,
        noise_scheduler: DDPMScheduler,
        memory_format: torch.memory_format,
        config: TrainConfig,
        kind: ImageKind,
    ) -> None:
        self.prepared_unet, self.unet = prepared_unet, unet
        self.noise_scheduler = noise_scheduler
        self.memory_format, self.kind = memory_format, kind
        self.config, self.sampler = config, TURBO if config.teacher else None
        self.probabilities = (
            laplace_probabilities(noise_scheduler, config.laplace_scale)
            if config.timestep_distribution == "laplace"
            else None
        )
        self.ema = EMAModel(unet.parameters(), decay=config.ema_decay, foreach=True)
        self.ema.to(unet.device)
        self.power_averages = PowerAverages(unet)

    def predict(self, noisy: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        """Return the network's output, float [B, C, S, S], as a Predictor does."""
        noisy = noisy.contiguous(memory_format=self.memory_format)
        output: Tensor = self.prepared_unet(noisy, timesteps, labels).sample
        return output

    def draw(self, batch_size: int, generator: torch.Generator) -> Draws:
        """Return a batch's timesteps, noise and dropped labels, on the generator's device."""
        shape = torch.Size((batch_size, *self.kind.shape))
        total, dropout = self.config.num_train_timesteps, self.config.label_dropout
        return sample_draws(shape, total, dropout, generator, self.probabilities)

    def loss(
        self, clean: Tensor, labels: Tensor, draws: Draws, progress_fraction: float = 0.0
    ) -> Tensor:
        """Return the loss to minimise: float32 [].

        Args:
            clean: float32 [B, C, S, S] in [−1, 1].
            labels: int64 [B].
            draws: the batch's timesteps, noise and dropped labels.
            progress_fraction: completed share of the run, used in distillation only.
        """
        losses = self._losses(clean, labels, draws, progress_fraction)
        if self.config.loss_weighting == "min-snr":
            gamma = self.config.min_snr_gamma
            losses = losses * min_snr_weight(self.noise_scheduler, draws.timesteps, gamma)
        return losses.mean()

    def validation_losses(self, clean: Tensor, labels: Tensor, draws: Draws) -> Tensor:
        """Return each image's loss, float32 [B], unweighted; in distillation, as at its end."""
        return self._losses(clean, labels, draws, progress_fraction=1.0)

    def _losses(
        self, clean: Tensor, labels: Tensor, draws: Draws, progress_fraction: float
    ) -> Tensor:
        batch = (self.predict, self.noise_scheduler, clean, labels, draws)
        if self.config.teacher:
            gap = gap_at(progress_fraction, self.config.gap_halvings)
            return consistency_losses(*batch, gap, self.kind.null_label)
        return loss_per_image(*batch, self.kind.null_label)

    @contextmanager
    def ema_pipeline(self) -> Iterator[FashionDDPMPipeline]:
        """Yield a pipeline of the network with the EMA weights; restore its own afterwards."""
        parameters = list(self.unet.parameters())
        self.ema.store(parameters)
        self.ema.copy_to(parameters)
        self.unet.eval()
        try:
            names = make_id2label(self.kind.class_names)
            yield FashionDDPMPipeline(self.unet, self.noise_scheduler, names, self.sampler)
        finally:
            self.ema.restore(parameters)
            self.unet.train()
