"""Inception's feature space, which most papers use; its weights are not bundled."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from tqdm import tqdm

from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.images import to_channels_first
from fashion_ddpm.scoring.errors import ScoringError

DOWNLOAD = "download"
"""Value for torch-fidelity's own weights, downloaded by it."""

BATCH_SIZE = 50


def load_inception(weights: str) -> Callable[[Tensor], Tensor]:
    """Return a function uint8 [N, …] → float32 [N, 2048]; grey becomes three channels.

    Args:
        weights: the file pt_inception-2015-12-05-6726825d.pth of torch-fidelity, or DOWNLOAD.

    Raises:
        ScoringError: the weights cannot be loaded.
    """
    path = None if weights == DOWNLOAD else weights
    try:
        if path:
            # torch-fidelity loads any pickle; this raises unless the file holds only tensors.
            torch.load(path, weights_only=True, map_location="cpu", mmap=True)
        network = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=path
        )
    except Exception as error:  # wrong files fail with many error classes
        fix = "connect to the network" if path is None else f"{Path(weights)} must hold its weights"
        raise ScoringError(f"Inception could not be loaded ({reason(error)}): {fix}") from error

    @torch.no_grad()
    def features(images: Tensor) -> Tensor:
        parts = tqdm(images.split(BATCH_SIZE), desc="Inception", leave=False)
        return torch.cat(
            [network(to_channels_first(part).expand(-1, 3, -1, -1))[0] for part in parts]
        )

    return features
