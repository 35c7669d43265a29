"""The image side of a CLIP as an ONNX file, and the scores that the page computes with it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPModel

from fashion_ddpm.core.images import to_channels_first
from fashion_ddpm.scoring.clip import ClipScorer
from fashion_ddpm.web.errors import WebError
from fashion_ddpm.web.onnx_export import CHECKED_BATCHES, export_module, run_onnx

MAX_SCORE_DIFFERENCE = 0.01
"""Largest allowed difference between a label score of the page and the same of Python."""


class ClipImageModule(nn.Module):
    """The image side of a CLIP."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.vision_model, self.projection = clip.vision_model, clip.visual_projection

    def forward(self, pixels: Tensor) -> Tensor:
        """Return unit vectors, float32 [B, D], for preprocessed images, float32 [B, 3, S, S]."""
        pooled = self.vision_model(pixel_values=pixels).pooler_output
        return nn.functional.normalize(self.projection(pooled), dim=-1)


def export_clip(scorer: ClipScorer) -> bytes:
    """Return the image side of a CLIP as an ONNX file: input pixels, output features.

    Raises:
        WebError: the file gives other features than the network.
    """
    side = scorer.model.config.vision_config.image_size
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(max(CHECKED_BATCHES), 3, side, side, generator=generator) * 2 - 1
    return export_module(ClipImageModule(scorer.model), {"pixels": pixels}, "features")


def check_scores(
    content: bytes, description: Mapping[str, Any], scorer: ClipScorer, images: Tensor
) -> None:
    """Raise WebError if the page would give other label scores than the scorer.

    Args:
        content: what export_clip returned.
        description: the scorer's entry of site.json.
        scorer: the scorer.
        images: uint8 [B, S, S] or [B, S, S, 3].
    """
    got = page_label_scores(content, description, images)
    difference = float(np.abs(got - scorer.label_scores(images).numpy()).max())
    if not difference <= MAX_SCORE_DIFFERENCE:
        raise WebError(
            f"The page's label scores differ by {difference:g} from those of the scorer "
            f"{scorer.name}; it must be at most {MAX_SCORE_DIFFERENCE}: its images must be as "
            "large as the network's, and it must take them unchanged but for mean and deviation."
        )


def page_label_scores(content: bytes, description: Mapping[str, Any], images: Tensor) -> np.ndarray:
    """Return label scores as the page computes them: float32 [B, classes]."""
    shares = to_channels_first(images).expand(-1, 3, -1, -1).numpy().astype(np.float32) / 255
    mean, deviation = (np.array(description[name], "f4")[:, None, None] for name in ("mean", "std"))
    features = run_onnx(content, {"pixels": (shares - mean) / deviation})
    logits = description["scale"] * features @ np.array(description["label_features"], "f4").T
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return scores
