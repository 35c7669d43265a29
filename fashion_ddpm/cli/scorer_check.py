"""The scorer check: does a CLIP know the garments, and a clear one from a ruined one?"""

from collections.abc import Iterator

import torch

from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.clip import ClipScorer, zero_shot_accuracy
from fashion_ddpm.scoring.degradations import add_noise, blur

NOISE_SIGMA = 0.7
"""Noise over signal of the noisy images: a garment's outline is still there."""

BLUR_SIGMA = 1.5
"""Standard deviation of the blur, in pixels."""

ANSWERS = ("only names the garment", "clear, well-generated", "blurry or unclear")


def check_scorer(scorer: ClipScorer, real: LabelledImages) -> Iterator[str]:
    """Ask for the garment, then the report's three prompts on clear and on ruined images.

    Args:
        scorer: any CLIP.
        real: real images.

    Yields:
        A line for each finding.
    """
    count = len(real)
    accuracy = zero_shot_accuracy(scorer, real)
    yield f"{scorer.name}: recognizes {accuracy:.1%} of {count:,} real images among ten prompts"
    generator = torch.Generator().manual_seed(0)
    kinds = {
        "real": real.images,
        f"noisy (sigma {NOISE_SIGMA})": add_noise(
            real.images, torch.full((count,), NOISE_SIGMA), generator
        ),
        f"blurred (sigma {BLUR_SIGMA} pixels)": blur(real.images, BLUR_SIGMA),
    }
    for kind, images in kinds.items():
        chosen = scorer.quality_scores(images, real.labels).argmax(dim=1)
        shares = torch.bincount(chosen, minlength=len(ANSWERS)) / count
        answers = (f"{answer} {share:.1%}" for answer, share in zip(ANSWERS, shares, strict=True))
        yield f"{scorer.name}: {kind}: {', '.join(answers)}"
