"""Tests of the scorer check, on the bundled scorer and on one that has learned nothing."""

import re

from fashion_ddpm.cli.scorer_check import ANSWERS, check_scorer
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.clip import EMBEDDED, ClipScorer, load_scorer


def shares(line: str) -> list[float]:
    """Return a line's three shares, in percent."""
    return [float(found) for found in re.findall(r"([\d.]+)%", line)]


def test_the_bundled_scorer_tells_clear_from_noisy_and_blurred(real: LabelledImages) -> None:
    garments, *answers = check_scorer(load_scorer(EMBEDDED, FASHION_MNIST), real)
    assert "200 real images" in garments
    assert shares(garments)[0] >= 85
    clear, noisy, blurred = map(shares, answers)
    assert clear[1] >= 95
    assert noisy[2] >= 95
    assert blurred[2] >= 95


def test_every_image_gives_one_answer(tiny_scorer: ClipScorer, real: LabelledImages) -> None:
    for line in list(check_scorer(tiny_scorer, real))[1:]:
        assert len(shares(line)) == len(ANSWERS)
        assert abs(sum(shares(line)) - 100) < 0.2
