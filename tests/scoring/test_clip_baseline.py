"""Tests of what real test images score."""

from pathlib import Path

import torch

from fashion_ddpm.core.image_kind import CLASS_NAMES, FASHION_MNIST, label_prompts
from fashion_ddpm.core.paths import BUNDLED_SCORER
from fashion_ddpm.scoring.clip import EMBEDDED, load_scorer
from fashion_ddpm.scoring.clip_baseline import (
    BASELINE_FILE,
    load_baseline,
    load_real_sample,
    measure_baseline,
    save_baseline,
)


def test_the_bundled_baseline_is_what_the_whole_test_split_scores() -> None:
    bundled = load_scorer(EMBEDDED, FASHION_MNIST)
    baseline = load_baseline(bundled)
    assert baseline
    assert baseline.count == 10_000
    measured = measure_baseline(bundled, load_real_sample())
    assert (baseline.labels.diagonal() - measured.labels.diagonal()).abs().max() < 0.25


def test_another_scorer_is_calibrated_on_the_bundled_sample(tiny_clip: Path) -> None:
    baseline = load_baseline(load_scorer(str(tiny_clip), FASHION_MNIST))
    assert baseline
    assert baseline.count == len(load_real_sample()) == 200
    assert baseline.labels.shape == (
        len(label_prompts(CLASS_NAMES)),
        len(label_prompts(CLASS_NAMES)),
    )
    assert torch.allclose(baseline.quality.sum(dim=1), torch.ones(10), atol=1e-5)


def test_a_baseline_is_saved_as_the_embedded_scorer_carries_it(tmp_path: Path) -> None:
    baseline = load_baseline(load_scorer(EMBEDDED, FASHION_MNIST))
    assert baseline
    save_baseline(baseline, tmp_path)
    assert (tmp_path / BASELINE_FILE).read_text() == (BUNDLED_SCORER / BASELINE_FILE).read_text()
