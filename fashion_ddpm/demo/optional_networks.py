"""What the demo can do without: a second network, a scorer; a damaged one costs a line, no more."""

import sys
from pathlib import Path

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.scoring.clip import EMBEDDED, NO_SCORER, NoScorer, Scorer, knows, load_scorer
from fashion_ddpm.scoring.clip_baseline import Baseline, load_baseline
from fashion_ddpm.scoring.errors import ScoringError


def load_optional_network(checkpoint: str | Path | None, device: str) -> FashionDDPMPipeline | None:
    """Return the network to compare with; None where none is wanted or it cannot be loaded."""
    if not checkpoint:
        return None
    try:
        return load_pipeline(checkpoint, device)
    except CheckpointError as error:
        print(f"--compare-with is left out: {error}", file=sys.stderr)
        return None


def load_optional_distilled(pipeline: FashionDDPMPipeline) -> FashionDDPMPipeline | None:
    """Return the network for the sampler turbo; None where there is none or it cannot be used."""
    try:
        return pipeline.distilled_network
    except CheckpointError as error:
        print(f"The sampler turbo is left out: {error}", file=sys.stderr)
        return None


def load_optional_scorers(kind: ImageKind) -> dict[str, tuple[Scorer, Baseline | None]]:
    """Return who can score such images without a download: by name, with a baseline, one scorer.

    Args:
        kind: what the images are.
    """
    if knows(EMBEDDED, kind):
        try:
            scorer = load_scorer(EMBEDDED, kind)
            return {EMBEDDED: (scorer, load_baseline(scorer))}
        except ScoringError as error:
            print(f"Images are drawn without scores: {error}", file=sys.stderr)
    return {NO_SCORER: (NoScorer(), None)}
