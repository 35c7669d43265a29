"""Networks that the demo can do without: a damaged one is reported and left out."""

import sys
from collections.abc import Callable

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.scoring.clip import EMBEDDED, NO_SCORER, NoScorer, Scorer, can_score, load_scorer
from fashion_ddpm.scoring.clip_baseline import Baseline, load_baseline
from fashion_ddpm.scoring.errors import ScoringError


def load_optional_network(
    name: str, load: Callable[[], FashionDDPMPipeline | None]
) -> FashionDDPMPipeline | None:
    """Return a network, or None if there is none or, with a message, if it cannot be loaded."""
    try:
        return load()
    except CheckpointError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return None


def load_optional_scorers(kind: ImageKind) -> dict[str, tuple[Scorer, Baseline | None]]:
    """Return the one scorer of such images that needs no download: name → scorer, baseline."""
    if can_score(EMBEDDED, kind):
        try:
            scorer = load_scorer(EMBEDDED, kind)
            return {EMBEDDED: (scorer, load_baseline(scorer))}
        except ScoringError as error:
            print(f"Images are drawn without scores: {error}", file=sys.stderr)
    return {NO_SCORER: (NoScorer(), None)}
