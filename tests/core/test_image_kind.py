"""Tests of image kinds and prompts."""

import pytest

from fashion_ddpm.core.image_kind import (
    BLURRY_PROMPT,
    CLASS_NAMES,
    FASHION_MNIST,
    NULL_LABEL,
    ImageKind,
    label_prompts,
    quality_prompts,
)
from fashion_ddpm.core.settings import ConfigError


def test_null_label_comes_after_the_ten_classes() -> None:
    assert len(set(CLASS_NAMES)) == NULL_LABEL == 10


def test_prompts_have_the_proper_article() -> None:
    assert label_prompts(class_names=CLASS_NAMES)[1] == "A trouser"
    assert label_prompts(class_names=CLASS_NAMES)[9] == "An ankle boot"


def test_the_quality_prompts_are_those_of_the_report() -> None:
    expected = ["A trouser", "A clear, well-generated trouser", BLURRY_PROMPT]
    assert quality_prompts("trouser", kind=FASHION_MNIST) == expected


def test_properties_of_an_image_kind() -> None:
    kind = ImageKind(("on", "off"), image_size=32, channels=3)
    assert (kind.null_label, kind.shape) == (2, (3, 32, 32))
    assert quality_prompts("on", kind)[2] == "A blurry or unclear image"
    assert str(kind) == "colour images of 32×32 pixels, classes on, off"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), "there are 0 classes"),
        (("a",) * 1001, "there are 1,001 classes"),
        (("",), "is named ''"),
        (("x" * 41,), "1 to 40 characters"),
        (("../up",), "begins with no dot"),
        (("a/b",), "holds no slash"),
        (("<b>",), "angle bracket"),
        (("ALL",), "means something else"),
        (("a\nb",), "means something else"),
        (("on", "On "), "differ in nothing but capitals, blanks or how accents"),
        (("caf\u00e9", "cafe\u0301"), "differ in nothing but capitals, blanks or how accents"),
    ],
)
def test_invalid_class_names_are_refused(names: tuple[str, ...], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        ImageKind(names, image_size=28, channels=1)


def test_invalid_sizes_and_channels_are_refused() -> None:
    for size in (4, 30, 260):
        with pytest.raises(ConfigError, match=f"the image size is {size}; it must be divisible"):
            ImageKind(("on",), image_size=size, channels=1)
    with pytest.raises(ConfigError, match="have 4 channels"):
        ImageKind(("on",), image_size=28, channels=4)
