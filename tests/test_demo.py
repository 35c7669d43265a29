"""Tests of what the page shows, without a page."""

from pathlib import Path

import pytest
import torch

from fashion_ddpm.demo import Demo, Preview, Result, schedule_note
from fashion_ddpm.labels import label_prompts
from fashion_ddpm.limits import MAX_IMAGES, MAX_STEPS
from fashion_ddpm.request import GenerateRequest, RequestError


@pytest.fixture(scope="module")
def demo(tiny_checkpoint: Path) -> Demo:
    return Demo(tiny_checkpoint)


def test_previews_come_before_one_result(demo: Demo) -> None:
    request = GenerateRequest(class_name="bag", num_images=3, num_inference_steps=4)
    *previews, result = demo.run(request, "embedded")
    assert previews
    assert all(isinstance(event, Preview) for event in previews)
    assert isinstance(result, Result)
    assert [caption for _, caption in result.pictures()] == [f"bag, seed {i}" for i in range(3)]
    assert result.evaluations == 12


def test_scores_stand_beside_real_ones_and_add_up_to_one(demo: Demo) -> None:
    request = GenerateRequest(class_name="all", num_images=5, num_inference_steps=1)
    *_, result = demo.run(request, "embedded")
    assert isinstance(result, Result)
    for labels, quality in (result.scores_of(4), result.mean_scores(), result.real_scores(4)):
        assert list(labels) == label_prompts()
        assert sum(labels.values()) == pytest.approx(1, abs=1e-4)
        assert sum(quality.values()) == pytest.approx(1, abs=1e-4)


def test_the_mean_is_the_mean_of_the_images(demo: Demo) -> None:
    request = GenerateRequest(class_name="coat", num_images=2, num_inference_steps=1)
    *_, result = demo.run(request, "embedded")
    assert isinstance(result, Result)
    each = torch.tensor([list(result.scores_of(index)[0].values()) for index in range(2)])
    mean = torch.tensor(list(result.mean_scores()[0].values()))
    assert torch.allclose(each.mean(dim=0), mean)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_images": MAX_IMAGES + 1}, "num_images is 17; here it must be at most 16"),
        ({"num_inference_steps": MAX_STEPS + 1}, "steps is 101; here it must be at most 100"),
    ],
)
def test_one_visitor_cannot_keep_all_others_waiting(
    demo: Demo, changes: dict[str, int], expected: str
) -> None:
    with pytest.raises(RequestError, match=expected):
        next(demo.run(GenerateRequest(class_name="bag", **changes), "embedded"))  # type: ignore[arg-type]


def test_an_unknown_scorer_is_refused_before_any_work(demo: Demo) -> None:
    with pytest.raises(RequestError, match=r"scorer is '\.\./etc'"):
        next(demo.run(GenerateRequest(class_name="bag"), "../etc"))


def test_the_note_says_why_the_reports_schedule_fails() -> None:
    assert "broken: 60 % of the image's amplitude is left" in schedule_note("report", 20)
    assert "Verdict: good" in schedule_note("cosine", 20)


def test_an_image_stands_beside_real_ones_of_its_own_class() -> None:
    request = GenerateRequest("all", num_images=10, num_inference_steps=1)
    *_, result = Demo().run(request, "embedded")
    assert isinstance(result, Result)
    for place, prompt in enumerate(label_prompts()):
        labels, quality = result.real_scores(place)
        assert max(labels, key=labels.__getitem__) == prompt
        assert list(quality) == list(result.scores_of(place)[1])
    assert len({tuple(result.real_scores(place)[1]) for place in range(10)}) == 10
