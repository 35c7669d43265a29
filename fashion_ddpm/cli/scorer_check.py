"""The scorer check: does a CLIP recognize the garments, and clear ones from degraded ones?"""

from collections.abc import Iterator

import torch

from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.clip import ClipScorer, zero_shot_accuracy
from fashion_ddpm.scoring.degradations import add_noise, blur

NOISE_SIGMA = 0.7
"""Noise over signal of the noisy images, whose garments are still visible."""

BLUR_SIGMA = 1.5
"""Standard deviation of the blur, in pixels."""

ANSWERS = ("only names the garment", "clear, well-generated", "blurry or unclear")


def check_scorer(scorer: ClipScorer, real: LabelledImages) -> Iterator[str]:
    """Yield a line on the label prompts, and lines on the quality prompts of degraded images."""
    count = len(real)
    accuracy = zero_shot_accuracy(scorer, real)
    yield f"{scorer.name}: recognizes {accuracy:.1%} of {count:,} real images among ten prompts"
    generator = torch.Generator().manual_seed(0)
    image_sets = {
        "real": real.images,
        f"noisy (sigma {NOISE_SIGMA})": add_noise(
            real.images, torch.full((count,), NOISE_SIGMA), generator
        ),
        f"blurred (sigma {BLUR_SIGMA} pixels)": blur(real.images, BLUR_SIGMA),
    }
    for name, images in image_sets.items():
        answers = scorer.quality_scores(images, real.labels).argmax(dim=1)
        shares = torch.bincount(answers, minlength=len(ANSWERS)) / count
        parts = (f"{answer} {share:.1%}" for answer, share in zip(ANSWERS, shares, strict=True))
        yield f"{scorer.name}: {name}: {', '.join(parts)}"
