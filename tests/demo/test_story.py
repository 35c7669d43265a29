"""Tests of the three rows of images that tell of the failure and its repair."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import to_model
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import (
    BROKEN,
    REPAIRED,
    ROW_SETTINGS,
    STORY,
    STORY_CLASS,
    STORY_SEEDS,
    STUDENT,
    load_story,
    save_story,
)
from fashion_ddpm.scoring.clip import EMBEDDED


def test_only_the_repaired_row_shows_what_was_asked_for(bundled_demo: Demo) -> None:
    story = load_story()
    assert story is not None, "run make gallery"
    scorer, _ = bundled_demo.scorer(EMBEDDED)
    label = CLASS_NAMES.index(STORY_CLASS)
    scores = {
        name: scorer.label_scores(torch.from_numpy(row))[:, label].mean().item()
        for name, row in story.rows.items()
    }
    assert scores[REPAIRED] > 0.9
    assert max(scores[STUDENT], scores[BROKEN]) < 0.5
    haze, repaired = (
        to_model(torch.from_numpy(story.rows[name])).mean().item() for name in (STUDENT, REPAIRED)
    )
    assert haze > -0.2 > repaired, "grey instead of black around the boots"
    assert STORY.stat().st_size < 50_000


def test_the_rows_are_drawn_anew_and_the_students_is_kept(
    bundled_demo: Demo, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    path = tmp_path / "story.npz"
    pipeline = bundled_demo.pipeline
    with pytest.raises(ConfigError, match="--student-checkpoint"):
        save_story(pipeline, path=path)
    save_story(pipeline, str(tiny_checkpoint), path)
    first = load_story(path)
    save_story(pipeline, path=path)
    again, bundled = load_story(path), load_story()
    assert first
    assert again
    assert bundled
    for name in ROW_SETTINGS:
        assert again.rows[name].shape == (len(STORY_SEEDS), 28, 28)
        assert np.array_equal(first.rows[name], again.rows[name])
    # CPUs round differently, so images may differ a little.
    difference = again.rows[REPAIRED].astype(int) - bundled.rows[REPAIRED]
    assert np.abs(difference).mean() < 2
    assert again.about["student_images_seen"] == first.about["student_images_seen"]
