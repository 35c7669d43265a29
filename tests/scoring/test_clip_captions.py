"""Tests of the captions on which the scorer is trained."""

import torch

from fashion_ddpm.core.image_kind import (
    BLURRY_PROMPT,
    CLASS_NAMES,
    FASHION_MNIST,
    NULL_LABEL,
    label_prompts,
    quality_prompts,
)
from fashion_ddpm.scoring.clip_captions import (
    CLEAR_QUALITY,
    DEGRADED_QUALITIES,
    QUALITIES,
    build_captions,
)

CAPTIONS = build_captions()
LOWER = [text.lower() for text in CAPTIONS.texts]


def weight(text: str, label: int, quality: int) -> float:
    return CAPTIONS.weights[LOWER.index(text.lower()), label, quality].item()


def test_the_label_prompts_come_first_and_no_caption_twice() -> None:
    assert LOWER[:10] == [prompt.lower() for prompt in label_prompts(class_names=CLASS_NAMES)]
    assert len(set(LOWER)) == len(LOWER) == len(CAPTIONS.weights)


def test_every_prompt_of_scoring_is_a_caption() -> None:
    for name in CLASS_NAMES:
        assert all(prompt.lower() in LOWER for prompt in quality_prompts(name, kind=FASHION_MNIST))


def test_a_caption_is_true_of_its_garment_and_its_quality_only() -> None:
    clear = "A clear, well-generated trouser"
    assert weight(clear, 1, CLEAR_QUALITY) > 0
    assert weight(clear, 2, CLEAR_QUALITY) == 0
    assert all(weight(clear, 1, quality) == 0 for quality in DEGRADED_QUALITIES)
    assert all(
        weight(BLURRY_PROMPT, label, DEGRADED_QUALITIES[0]) > 0 for label in range(NULL_LABEL + 1)
    )
    assert all(weight(BLURRY_PROMPT, label, CLEAR_QUALITY) == 0 for label in range(NULL_LABEL + 1))


def test_every_image_has_a_true_caption() -> None:
    assert torch.all(CAPTIONS.weights.sum(dim=0)[:NULL_LABEL] > 0)
    assert torch.all(CAPTIONS.weights.sum(dim=0)[NULL_LABEL, 1:] > 0)


def test_targets_are_the_weights_of_each_images_label_and_quality() -> None:
    targets = CAPTIONS.targets(torch.tensor([1, 9]), torch.tensor([0, 2]))
    assert targets.shape == (2, len(LOWER))
    assert torch.equal(targets[1], CAPTIONS.weights[:, 9, 2])


def test_articles_fit_their_nouns() -> None:
    assert not any(f"a {vowel}" in text.split(" of ")[0][:3] for text in LOWER for vowel in "aeiou")
    assert "an ankle boot" in LOWER
    assert len(QUALITIES) == CAPTIONS.weights.shape[2]
