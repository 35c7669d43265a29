"""Tests of the table of runs."""

from pathlib import Path

import pytest

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.json_files import FileError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.save_checkpoint import publish
from fashion_ddpm.training.compare_runs import RunsError, differing, runs_in, table
from fashion_ddpm.training.run_folder import RunFolder

LOG = [
    {"images_seen": 64, "loss": 0.5, "images_per_second": 900.0},
    {"images_seen": 64, "validation_loss": 0.625},
    {"images_seen": 128, "loss": 0.25, "images_per_second": 1100.0},
]


@pytest.fixture
def parent(tmp_path: Path, tiny_pipeline: FashionDDPMPipeline) -> Path:
    """A folder with a run that has published, one that has only begun, and something else."""
    saved, begun = TrainConfig(seed=3), TrainConfig(learning_rate=0.5, preview_every=7)
    RunFolder(tmp_path / "saved").begin(saved)
    facts = {"images_seen": 128_000, "log": LOG}
    publish(tiny_pipeline, RunFolder(tmp_path / "saved").checkpoint, saved, facts)
    RunFolder(tmp_path / "begun").begin(begun)
    (tmp_path / "notes").mkdir()
    return tmp_path


def test_a_folders_runs_are_found_with_their_final_figures(parent: Path) -> None:
    begun, saved = runs_in([parent])
    assert [Path(run.name).name for run in (begun, saved)] == ["begun", "saved"]
    assert (saved.images_seen, saved.loss, saved.validation_loss) == (128_000, 0.25, 0.625)
    assert saved.images_per_second == 1000
    assert (begun.images_seen, begun.loss) == (None, None)


def test_the_table_shows_only_the_settings_that_differ(parent: Path) -> None:
    runs = runs_in([parent / "saved", parent / "begun"])
    assert differing(runs) == ["learning_rate", "seed"]
    head, saved, begun = table(runs).splitlines()
    assert head.split()[:5] == ["run", "--learning-rate", "--seed", "images", "seen"]
    assert saved.split()[1:] == ["0.001", "3", "128,000", "0.2500", "0.6250", "1,000"]
    assert begun.split()[1:] == ["0.5", "0", "–", "–", "–", "–"]


def test_a_published_checkpoint_is_a_run_too(parent: Path) -> None:
    (run,) = runs_in([parent / "saved" / "checkpoint"])
    assert run.loss == 0.25


def test_a_setting_that_an_older_run_did_not_know_differs(parent: Path) -> None:
    saved, begun = runs_in([parent / "saved", parent / "begun"])
    del begun.config["dropout"]
    assert "dropout" in differing([saved, begun])


def test_a_folder_without_runs_is_refused(parent: Path) -> None:
    with pytest.raises(RunsError, match="notes is no training run and holds none"):
        runs_in([parent, parent / "notes"])


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_run_whose_settings_are_damaged_costs_a_sentence(parent: Path, content: str) -> None:
    (parent / "begun" / "config.json").write_text(content)
    with pytest.raises(FileError, match=rf"{parent / 'begun' / 'config.json'} .+ restore it"):
        runs_in([parent])
