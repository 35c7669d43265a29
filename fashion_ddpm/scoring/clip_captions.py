"""The captions on which the embedded scorer is trained: of garments, of qualities, of both.

The prompts with which images are scored, which are among them, are in core/image_kind.py.
"""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from fashion_ddpm.core.image_kind import (
    BLURRY_PROMPT,
    CLASS_NAMES,
    FASHION_MNIST,
    NULL_LABEL,
    label_prompts,
    quality_prompts,
)

QUALITIES = ("clear", "noisy", "blurred", "half-denoised")
CLEAR_QUALITY = 0
DEGRADED_QUALITIES = (1, 2, 3)

GARMENTS: tuple[tuple[str, ...], ...] = (
    ("T-shirt", "tee"),
    ("trouser", "pair of trousers", "pair of pants"),
    ("pullover", "sweater"),
    ("dress", "gown"),
    ("coat", "jacket"),
    ("sandal", "open shoe"),
    ("shirt", "button-up shirt"),
    ("sneaker", "trainer"),
    ("bag", "handbag"),
    ("ankle boot", "boot"),
)
"""Words for each class, the class name first."""

_TEMPLATES = ("a {}", "a photo of a {}", "a picture of a {}", "this is a {}", "an image of a {}")
_QUALITY_TEMPLATES: dict[tuple[int, ...], tuple[str, ...]] = {
    (0,): (
        "a clear {}",
        "a clear, well-generated {}",
        "a sharp photo of a {}",
        "a clean picture of a {}",
        "a recognizable {}",
    ),
    (1,): ("a noisy {}", "a photo of a {} covered in noise", "a grainy picture of a {}"),
    (2,): ("a blurred {}", "a {} out of focus", "a smeared picture of a {}"),
    (3,): ("a half-denoised {}", "an unfinished {}", "a hazy picture of a {}"),
    DEGRADED_QUALITIES: (
        "a blurry or unclear {}",
        "a noisy or unclear {}",
        "an unclear {}",
        "a badly generated {}",
        "a blurry {}",
    ),
}
_GENERIC_NOUNS = ("clothing item", "piece of clothing", "garment")

_GARMENT_WEIGHT, _QUALITY_WEIGHT, _BOTH_WEIGHT = 1.0, 3.0, 4.0
"""Weights of captions that are true of an image: the more specific, the higher."""


@dataclass(frozen=True)
class Captions:
    """All captions and their weights.

    Attributes:
        texts: C captions, the ten label prompts first.
        weights: float32 [C, 11, 4], weight of a caption for an image of a class (null label: no
            recognizable garment) and a quality; 0 where the caption is false.
    """

    texts: list[str]
    weights: Tensor

    def targets(self, labels: Tensor, qualities: Tensor) -> Tensor:
        """Return the weights of all captions for images: labels, qualities int64 [B] → [B, C]."""
        return self.weights[:, labels, qualities].T


def build_captions() -> Captions:
    """Return all combinations of templates, garments and qualities, and the prompts of scoring."""
    rows: dict[str, Tensor] = {}

    def add(text: str, labels: list[int], qualities: tuple[int, ...], weight: float) -> None:
        mask = torch.zeros(NULL_LABEL + 1, len(QUALITIES))
        mask[torch.tensor(labels)[:, None], torch.tensor(qualities)] = weight
        rows.setdefault(_fix_articles(text).lower(), mask)

    all_qualities = tuple(range(len(QUALITIES)))
    all_labels = list(range(NULL_LABEL + 1))
    for label, prompt in enumerate(label_prompts(CLASS_NAMES)):
        add(prompt, [label], all_qualities, _GARMENT_WEIGHT)
    for label, names in enumerate(GARMENTS):
        _, clear_prompt, _ = quality_prompts(CLASS_NAMES[label], FASHION_MNIST)
        add(clear_prompt, [label], (CLEAR_QUALITY,), _BOTH_WEIGHT)
        for name in names:
            for template in _TEMPLATES:
                add(template.format(name), [label], all_qualities, _GARMENT_WEIGHT)
            for qualities, templates in _QUALITY_TEMPLATES.items():
                for template in templates:
                    add(template.format(name), [label], qualities, _BOTH_WEIGHT)
    add(BLURRY_PROMPT, all_labels, DEGRADED_QUALITIES, _QUALITY_WEIGHT)
    for noun in _GENERIC_NOUNS:
        for qualities, templates in _QUALITY_TEMPLATES.items():
            for template in templates:
                add(template.format(noun), all_labels, qualities, _QUALITY_WEIGHT)
    return Captions(list(rows), torch.stack(list(rows.values())))


def _fix_articles(text: str) -> str:
    """Replace "a" by "an" before a vowel."""
    words = text.split(" ")
    pairs = itertools.pairwise(words)
    fixed = ["an" if word == "a" and after[0].lower() in "aeiou" else word for word, after in pairs]
    return " ".join([*fixed, words[-1]])
