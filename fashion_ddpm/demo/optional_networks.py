"""What the demo can do without: a second network, a scorer; a damaged one costs a line, no more."""

import sys
from collections.abc import Callable

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.scoring.clip import EMBEDDED, NO_SCORER, NoScorer, Scorer, can_score, load_scorer
from fashion_ddpm.scoring.clip_baseline import Baseline, load_baseline
from fashion_ddpm.scoring.errors import ScoringError


def load_optional_network(
    what: str, load: Callable[[], FashionDDPMPipeline | None]
) -> FashionDDPMPipeline | None:
    """Return a network; None where there is none, or where its checkpoint cannot be used."""
    try:
        return load()
    except CheckpointError as error:
        print(f"{what} is left out: {error}", file=sys.stderr)
        return None


def load_optional_scorers(kind: ImageKind) -> dict[str, tuple[Scorer, Baseline | None]]:
    """Return who can score such images without a download: by name, with a baseline, one scorer.

    Args:
        kind: what the images are.
    """
    if can_score(EMBEDDED, kind):
        try:
            scorer = load_scorer(EMBEDDED, kind)
            return {EMBEDDED: (scorer, load_baseline(scorer))}
        except ScoringError as error:
            print(f"Images are drawn without scores: {error}", file=sys.stderr)
    return {NO_SCORER: (NoScorer(), None)}
