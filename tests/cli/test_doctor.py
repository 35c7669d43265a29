"""Tests of the doctor commands, and of the scorer check."""

import re
from pathlib import Path

from fashion_ddpm.cli.scorer_check import ANSWERS, check_scorer
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.clip import EMBEDDED, ClipScorer, load_scorer
from tests.tools import MINI_DATA
from tests.tools.program import run_here


def test_doctor_schedule_says_which_schedule_is_broken() -> None:
    lines = run_here("doctor", "schedule").stdout.splitlines()
    broken = [line.split(":")[0] for line in lines if "broken" in line]
    assert broken == ["report"]
    assert "terminal alpha-bar 0.364" in next(line for line in lines if "broken" in line)


def test_doctor_data_fails_with_one_sentence_without_data(tmp_path: Path) -> None:
    picture = str(tmp_path / "data.png")
    done = run_here("doctor", "data", "--data-dir", str(tmp_path), "--picture", picture)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_doctor_scorer_refuses_a_folder_without_one(tmp_path: Path) -> None:
    done = run_here("doctor", "scorer", str(tmp_path), "--data-dir", str(MINI_DATA))
    assert done.returncode == 1
    assert "could not be loaded" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def shares(line: str) -> list[float]:
    """Return a line's three shares, in percent."""
    return [float(found) for found in re.findall(r"([\d.]+)%", line)]


def test_the_bundled_scorer_tells_clear_from_noisy_and_blurred(real_images: LabelledImages) -> None:
    garments, *answers = check_scorer(load_scorer(EMBEDDED, FASHION_MNIST), real_images)
    assert "200 real images" in garments
    assert shares(garments)[0] >= 85
    clear, noisy, blurred = map(shares, answers)
    assert clear[1] >= 95
    assert noisy[2] >= 95
    assert blurred[2] >= 95


def test_every_image_gives_one_answer(tiny_scorer: ClipScorer, real_images: LabelledImages) -> None:
    for line in list(check_scorer(tiny_scorer, real_images))[1:]:
        assert len(shares(line)) == len(ANSWERS)
        assert abs(sum(shares(line)) - 100) < 0.2
