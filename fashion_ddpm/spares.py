"""What the demo can do without: a second network, a scorer; a damaged one costs a line, no more."""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from fashion_ddpm.clip_scores import (
    EMBEDDED,
    Baseline,
    ClipScorer,
    ScorerError,
    load_baseline,
    load_scorer,
)
from fashion_ddpm.labels import CLASS_NAMES, label_prompts, quality_prompts
from fashion_ddpm.pipeline import CheckpointError, FashionDDPMPipeline, load_pipeline

NO_SCORE = float("nan")


class NoScorer(ClipScorer):
    """Stands in for a scorer that cannot be loaded: every probability is unknown (NaN)."""

    def __init__(self, name: str) -> None:
        self.name = name

    def probabilities(self, images: Tensor, texts: Sequence[str]) -> Tensor:
        """Returns float32 [B, T] of NaN."""
        return torch.full((len(images), len(texts)), NO_SCORE)


def second_network(checkpoint: str | Path | None, device: str) -> FashionDDPMPipeline | None:
    """Returns the network to compare with; None where none is wanted or it cannot be loaded."""
    if not checkpoint:
        return None
    try:
        return load_pipeline(checkpoint, device)
    except CheckpointError as error:
        print(f"--compare-with is left out: {error}", file=sys.stderr)
        return None


def embedded_scorer() -> tuple[ClipScorer, Baseline]:
    """Returns the embedded scorer with its baseline, or one that knows no score."""
    try:
        scorer = load_scorer(EMBEDDED)
        return scorer, load_baseline(scorer)
    except ScorerError as error:
        print(f"Images are drawn without scores: {error}", file=sys.stderr)
        rows, quality = len(label_prompts()), len(quality_prompts(CLASS_NAMES[0]))
        unknown = Baseline(
            torch.full((rows, rows), NO_SCORE), torch.full((rows, quality), NO_SCORE), count=0
        )
        return NoScorer(EMBEDDED), unknown
