"""Tests of results, without a page."""

import pytest
import torch

from fashion_ddpm.core.image_kind import CLASS_NAMES, label_prompts
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo


def test_scores_stand_beside_real_ones_and_add_up_to_one(demo: Demo) -> None:
    request = GenerateRequest(class_name="all", num_images=5, num_inference_steps=1)
    result = demo.draw(request, "embedded")
    for labels, quality in (result.image_scores(4), result.mean_scores(4), result.real_scores(4)):
        assert list(labels) == label_prompts(class_names=CLASS_NAMES)
        assert sum(labels.values()) == pytest.approx(1, abs=1e-4)
        assert sum(quality.values()) == pytest.approx(1, abs=1e-4)


def test_the_mean_is_that_of_the_images_of_the_same_class(demo: Demo) -> None:
    request = GenerateRequest(class_name="all", num_images=12, num_inference_steps=1)
    result = demo.draw(request, "embedded")
    each = torch.tensor([list(result.image_scores(index)[0].values()) for index in (1, 11)])
    mean = torch.tensor(list(result.mean_scores(11)[0].values()))
    assert torch.allclose(each.mean(dim=0), mean)


def test_an_image_stands_beside_real_ones_of_its_own_class(bundled_demo: Demo) -> None:
    request = GenerateRequest("all", num_images=10, num_inference_steps=1)
    result = bundled_demo.draw(request, "embedded")
    for index, prompt in enumerate(label_prompts(class_names=CLASS_NAMES)):
        labels, quality = result.real_scores(index)
        assert max(labels, key=labels.__getitem__) == prompt
        assert list(quality) == list(result.image_scores(index)[1])
    assert len({tuple(result.real_scores(index)[1]) for index in range(10)}) == 10
