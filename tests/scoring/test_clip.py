"""Tests of the scorers, a tiny CLIP and the bundled one, and of the scores of real images."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from fashion_ddpm.core.image_kind import CLASS_NAMES, FASHION_MNIST, ImageKind
from fashion_ddpm.core.paths import BUNDLED_SCORER, ROOT
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.clip import (
    EMBEDDED,
    ClipScorer,
    NoScorer,
    load_scorer,
    select_scores,
    zero_shot_accuracy,
)
from fashion_ddpm.scoring.clip_baseline import (
    BASELINE_FILE,
    load_baseline,
    load_real_sample,
    measure_baseline,
    save_baseline,
)
from fashion_ddpm.scoring.errors import ScoringError


@pytest.fixture(scope="module")
def bundled() -> ClipScorer:
    return load_scorer(EMBEDDED, FASHION_MNIST)


def test_any_clip_in_a_local_folder_is_a_scorer(
    tiny_clip: Path, real_images: LabelledImages
) -> None:
    scorer = load_scorer(str(tiny_clip), FASHION_MNIST)
    scores = scorer.probabilities(real_images.images[:7], ["A bag", "A trouser", "A hat"])
    assert scores.shape == (7, 3)
    assert torch.allclose(scores.sum(dim=1), torch.ones(7))


def test_scores_do_not_depend_on_the_other_images(
    bundled: ClipScorer, real_images: LabelledImages
) -> None:
    together = bundled.label_scores(real_images.images[:9])
    separate = torch.cat([bundled.label_scores(real_images.images[i : i + 1]) for i in range(9)])
    assert torch.allclose(together, separate, atol=1e-5)


def test_the_processor_maps_pixels_as_to_model_does(
    tiny_scorer: ClipScorer, real_images: LabelledImages
) -> None:
    colour = [image.unsqueeze(0).expand(3, -1, -1) for image in real_images.images[:3]]
    pixels = tiny_scorer.processor(images=colour, return_tensors="pt")["pixel_values"]
    expected = real_images.images[:3].unsqueeze(1).float() / 127.5 - 1
    assert torch.allclose(pixels, expected.expand(-1, 3, -1, -1), atol=1e-5)


def test_each_image_is_scored_on_the_quality_prompts_of_its_class(
    bundled: ClipScorer, real_images: LabelledImages
) -> None:
    scores = bundled.quality_scores(real_images.images[:20], real_images.labels[:20])
    one = bundled.quality_scores(real_images.images[3:4], real_images.labels[3:4])
    assert torch.allclose(scores[3:4], one, atol=1e-5)


def test_the_bundled_scorer_recognizes_real_clothes(
    bundled: ClipScorer, real_images: LabelledImages
) -> None:
    assert zero_shot_accuracy(bundled, real_images) >= 0.85


@pytest.mark.parametrize("name", ["openai/clip-vit-base-patch16", "nowhere/at-all", "/no/folder"])
def test_a_missing_scorer_is_refused_with_one_sentence(name: str) -> None:
    with pytest.raises(ScoringError, match=r"could not be loaded .+ use embedded"):
        load_scorer(name, FASHION_MNIST)


def test_every_bundled_file_is_small_enough_for_a_plain_push() -> None:
    sizes = [path.stat().st_size for path in BUNDLED_SCORER.parent.rglob("*")]
    assert sizes
    assert max(sizes) <= 10_000_000


def test_a_clips_prompts_name_the_classes_of_its_images(tiny_clip: Path) -> None:
    kind = ImageKind(("on", "off"), image_size=16, channels=3)
    scorer = load_scorer(str(tiny_clip), kind)
    images = torch.randint(256, (4, 16, 16, 3), dtype=torch.uint8)
    assert torch.equal(
        scorer.label_scores(images), scorer.probabilities(images, ["An on", "An off"])
    )
    assert scorer.quality_scores(images, torch.tensor([0, 1, 0, 1])).shape == (4, 3)
    assert load_baseline(scorer) is None


def test_the_embedded_scorer_refuses_other_classes() -> None:
    with pytest.raises(ScoringError, match="has seen nothing but Fashion-MNIST"):
        load_scorer(EMBEDDED, ImageKind(("on", "off"), image_size=28, channels=1))


def test_without_a_scorer_there_are_no_scores() -> None:
    scores = NoScorer().label_scores(torch.zeros(3, 28, 28))
    assert scores.shape == (3, 0)
    assert select_scores(scores, torch.tensor([0, 1, 2])) is None
    assert select_scores(torch.tensor([[0.25, 0.75]]), torch.tensor([1])).tolist() == [0.75]  # type: ignore[union-attr]


def test_the_bundled_baseline_is_what_the_whole_test_split_scores(
    bundled: ClipScorer, tmp_path: Path
) -> None:
    baseline = load_baseline(bundled)
    assert baseline
    assert baseline.count == 10_000
    measured = measure_baseline(bundled, load_real_sample())
    assert (baseline.labels.diagonal() - measured.labels.diagonal()).abs().max() < 0.25
    save_baseline(baseline, tmp_path)
    assert (tmp_path / BASELINE_FILE).read_text() == (BUNDLED_SCORER / BASELINE_FILE).read_text()


def test_another_scorer_is_calibrated_on_the_bundled_sample(tiny_scorer: ClipScorer) -> None:
    baseline = load_baseline(tiny_scorer)
    assert baseline
    assert baseline.count == len(load_real_sample()) == 200
    assert baseline.labels.shape == (10, 10)
    assert torch.allclose(baseline.quality.sum(dim=1), torch.ones(10), atol=1e-5)


WITHOUT_THE_PACKAGE = """
import shutil, sys
sys.modules["fashion_ddpm"] = None  # its import fails
for label in range(10):
    shutil.copy(f"{label}.png", "image.png")
    exec(sys.argv[1])
"""


def test_transformers_alone_labels_real_images_by_the_lines_in_the_readme(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (lines,) = [block for block in blocks if "zero-shot-image-classification" in block]
    sample = load_real_sample()
    for label in range(10):
        Image.fromarray(sample.select_class(label)[0].numpy()).save(tmp_path / f"{label}.png")
    shutil.copytree(BUNDLED_SCORER, tmp_path / BUNDLED_SCORER.relative_to(ROOT))
    command = [sys.executable, "-I", "-c", WITHOUT_THE_PACKAGE, lines]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    labels = [ast.literal_eval(line)["label"] for line in done.stdout.splitlines()]
    assert len(labels) == 10
    assert sum(map(str.__eq__, labels, CLASS_NAMES)) >= 9, labels
