"""Tests of the doctor commands, run as a user runs them."""

from pathlib import Path

from tests.test_main import run
from tests.tools import MINI_DATA


def test_doctor_schedule_says_which_schedule_is_broken() -> None:
    lines = run("doctor", "schedule").stdout.splitlines()
    broken = [line.split(":")[0] for line in lines if "broken" in line]
    assert broken == ["report"]
    assert "terminal alpha-bar 0.364" in next(line for line in lines if "broken" in line)


def test_doctor_data_fails_with_one_sentence_when_there_is_none(tmp_path: Path) -> None:
    picture = str(tmp_path / "data.png")
    done = run("doctor", "data", "--data-dir", str(tmp_path), "--picture", picture)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_doctor_scorer_refuses_a_folder_without_one(tmp_path: Path) -> None:
    done = run("doctor", "scorer", str(tmp_path), "--data-dir", str(MINI_DATA))
    assert done.returncode == 1
    assert "could not be loaded" in done.stderr
    assert "Traceback" not in done.stderr
