"""Tests of the flags that name a data set."""

from pathlib import Path
from typing import Any

import pytest

from fashion_ddpm.core.config import ClassifierConfig, TrainConfig
from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.settings import ConfigError


def test_fashion_mnist_is_the_default() -> None:
    assert DataSettings().dataset == TrainConfig().dataset == "fashion-mnist"
    assert ClassifierConfig().public_name == "fashion-mnist"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"dataset": "cifar10"}, "--dataset is 'cifar10'; it must be fashion-mnist, imagefolder:"),
        ({"dataset": "imagefolder:"}, "--dataset is 'imagefolder:'"),
        ({"image_size": 32}, "--image-size, --fit and --colours are for your own pictures"),
        ({"dataset": "hub:a/b", "image_size": 30}, "divisible by 4, from 8 to 256"),
        ({"dataset": "hub:a/b", "image_size": 4}, "divisible by 4, from 8 to 256"),
        ({"dataset": "hub:a/b", "image_size": 260}, "at most 256"),
        ({"dataset": "hub:a/b", "fit": "crop"}, "--fit crop needs the size to reach"),
        ({"dataset": "hub:a/b", "fit": "pad"}, "must be one of none, resize, crop"),
    ],
)
def test_invalid_flags_are_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        DataSettings(**changes)


def test_the_public_name_holds_no_path(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for kind in ("imagefolder", "hub"):
        settings = DataSettings(dataset=f"{kind}:{tmp_path / 'pictures'}")
        assert settings.public_name == f"{kind}:pictures"
    assert DataSettings(dataset="hub:ada/boots").public_name == "hub:ada/boots"
