"""The table of scores that the generate command prints."""

import math

import torch
from torch import Tensor

from fashion_ddpm.core.image_kind import CLEAR_PROMPT
from fashion_ddpm.diffusion.pipeline import Batch
from fashion_ddpm.scoring.clip import ClipScorer
from fashion_ddpm.scoring.clip_baseline import load_baseline


def score_table(scorer: ClipScorer, batches: list[Batch]) -> str:
    """Return a table: mean probability of the requested label's prompt, and its top-1 accuracy.

    Scores of real test images of each class are shown for comparison, where they are bundled.
    """
    images = torch.cat([batch.images for batch in batches])
    labels = torch.cat([batch.labels for batch in batches])
    scores, baseline = scorer.label_scores(images), load_baseline(scorer)
    quality = scorer.quality_scores(images, labels)
    lines = [
        f"{'class':<12} {'images':>6} {'score':>6} {'real':>6} {'wins':>6} {'clear':>6} {'real':>6}"
    ]
    for label in labels.unique().tolist():
        in_class = labels == label
        real = baseline.labels[label, label] if baseline else math.nan
        real_clear = baseline.quality[label, CLEAR_PROMPT] if baseline else math.nan
        lines.append(
            f"{scorer.kind.class_names[label]:<12} {int(in_class.sum()):>6} "
            f"{scores[in_class, label].mean():>6.3f} {_format(real)} "
            f"{(scores[in_class].argmax(dim=1) == label).float().mean():>6.3f} "
            f"{quality[in_class, CLEAR_PROMPT].mean():>6.3f} {_format(real_clear)}"
        )
    wins = (scores.argmax(dim=1) == labels).float().mean()
    lines.append(f"all: the right label wins for {wins:.1%} of {len(labels):,} images")
    return "\n".join(lines)


def _format(value: Tensor | float) -> str:
    return f"{value:>6.3f}" if math.isfinite(value) else f"{'–':>6}"
