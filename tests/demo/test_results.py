"""Tests of results, without a page."""

import pytest
import torch

from fashion_ddpm.core.image_kind import CLASS_NAMES, label_prompts
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import KeptResults


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


def test_the_oldest_results_are_dropped_when_there_are_too_many_bytes(demo: Demo) -> None:
    results = [
        demo.draw(
            GenerateRequest("bag", num_images=2, num_inference_steps=1, seed=seed), "embedded"
        )
        for seed in range(3)
    ]
    size = results[0].noisy.nbytes + results[0].clean.nbytes
    kept = KeptResults(max_bytes=2 * size)
    for result in (*results[:2], results[0], results[2]):
        kept.add(result)
    found = [kept.get(result.settings) for result in results]
    assert found == [results[0], None, results[2]]
    none = KeptResults(max_bytes=size - 1)
    none.add(results[0])
    assert none.get(results[0].settings) is None
