"""Tests of the words."""

from fashion_ddpm.labels import (
    BLURRY_PROMPT,
    CLASS_NAMES,
    NULL_LABEL,
    label_prompts,
    quality_prompts,
)


def test_null_label_comes_after_the_ten_classes() -> None:
    assert len(set(CLASS_NAMES)) == NULL_LABEL == 10


def test_prompts_have_the_proper_article() -> None:
    assert label_prompts()[1] == "A trouser"
    assert label_prompts()[9] == "An ankle boot"


def test_the_three_quality_prompts_are_the_reports() -> None:
    expected = ["A trouser", "A clear, well-generated trouser", BLURRY_PROMPT]
    assert quality_prompts("trouser") == expected
