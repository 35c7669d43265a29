"""Tests of a run: what it writes, prints, sends to trackers and refuses."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.tracking import GeneralTracker
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fashion_ddpm.checkpoints.atomic_folders import list_states
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.training import trackers
from fashion_ddpm.training.loop import Run, train
from fashion_ddpm.training.run_folder import RunFolder
from fashion_ddpm.training.stopping import TrainingError
from fashion_ddpm.training.validation import LEVEL_BINS
from tests.tools.small_runs import read_losses, read_run_json, small_config


def test_a_run_leaves_a_checkpoint_states_previews_and_curves(finished_run: TrainConfig) -> None:
    folder = RunFolder(finished_run.output_dir)
    assert is_intact(folder.checkpoint)
    assert len(list_states(folder.states)) == finished_run.keep_states
    assert folder.preview(512).exists()
    assert folder.curves.exists()
    assert load_pipeline(folder.checkpoint)([0], seed=0).shape == (1, 28, 28)
    run = read_run_json(finished_run)
    assert run["images_seen"] == 512
    assert run["processes"] == 1
    bins = [row["validation_loss_by_level"] for row in run["log"] if "validation_loss" in row]
    assert len(bins) == 2


def test_training_learns(finished_run: TrainConfig) -> None:
    values = list(read_losses(finished_run).values())
    assert values[-1] < values[0]


def test_the_published_weights_are_the_moving_average(tmp_path: Path) -> None:
    """With a decay of 0 the average equals the last step's weights; otherwise it lags behind."""
    weights = []
    for decay in (0.0, 0.999):
        config = small_config(tmp_path / str(decay), images_total=128, ema_decay=decay)
        unet = load_pipeline(train(config)).unet
        weights.append(torch.cat([parameter.flatten() for parameter in unet.parameters()]))
    assert not torch.allclose(weights[0], weights[1], atol=1e-4)


def test_the_same_command_after_the_end_changes_nothing(finished_run: TrainConfig) -> None:
    before = read_losses(finished_run)
    assert is_intact(train(finished_run))
    assert read_losses(finished_run) == before


def test_accumulating_gradients_changes_no_loss(finished_run: TrainConfig, tmp_path: Path) -> None:
    config = small_config(tmp_path / "run", gradient_accumulation_steps=4)
    train(config)
    assert read_losses(config) == pytest.approx(read_losses(finished_run), rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"loss_weighting": "min-snr", "prediction_type": "epsilon"},
        {"noise_schedule": "linear", "num_train_timesteps": 100, "beta_scale": 10.0},
        {"noise_schedule": "sigmoid", "prediction_type": "sample", "scale_shift": True},
        {
            "noise_schedule": "linear",
            "num_train_timesteps": 100,
            "allow_nonzero_terminal_snr": True,
        },
    ],
)
def test_other_recipes_train_too_the_reports_among_them(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    config = small_config(tmp_path / "run", images_total=64, **changes)
    scheduler = load_pipeline(train(config)).scheduler
    assert len(scheduler.betas) == config.num_train_timesteps


def test_the_reports_schedule_is_refused_with_the_fix(tmp_path: Path) -> None:
    config = small_config(tmp_path / "run", noise_schedule="linear", num_train_timesteps=100)
    with pytest.raises(ConfigError, match="scale the betas by 1000/T"):
        train(config)
    assert not (tmp_path / "run").exists()


def test_a_run_does_not_resume_with_other_settings(finished_run: TrainConfig) -> None:
    with pytest.raises(ConfigError, match=r"--seed is 1, but the run in"):
        train(dataclasses.replace(finished_run, seed=1))


def test_a_loss_that_is_not_finite_ends_the_run_with_one_sentence(tmp_path: Path) -> None:
    config = small_config(tmp_path / "run", learning_rate=1e30, max_grad_norm=1e30)
    with pytest.raises(TrainingError, match=r"at step 1 .+seed is 2.+ lower --learning-rate"):
        train(config)


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    """They become NaN after the first state, long before the next log row."""
    config = small_config(tmp_path / "run", log_every=512)
    run = Run(config)

    def set_to_nan(unet: torch.nn.Module, arguments: object) -> None:
        if run.progress.step == 5:
            next(unet.parameters()).data.fill_(torch.nan)

    run.network.unet.register_forward_pre_hook(set_to_nan)
    run.resume()
    with pytest.raises(TrainingError, match=r"at step 5 .+ good state is .+images-00000000128:"):
        run.loop()
    assert [state.name for state in list_states(run.folder.states)] == ["images-00000000128"]
    assert read_run_json(config)["images_seen"] == 128


class Notebook(GeneralTracker):
    """An accelerate tracker that keeps everything in memory."""

    name = "notebook"
    requires_logging_directory = False

    def __init__(self) -> None:
        super().__init__()
        self.settings: dict[str, Any] = {}
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.pictures: list[tuple[int, Any]] = []
        self.finished = False

    @property
    def tracker(self) -> "Notebook":
        """The underlying tracker, required by GeneralTracker."""
        return self

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """Store the run's settings."""
        self.settings = values

    def log(self, values: dict[str, float], step: int | None = None) -> None:
        """Store scalars."""
        self.rows.append((step or 0, values))

    def log_images(self, values: dict[str, Any], step: int) -> None:
        """Store pictures."""
        self.pictures.append((step, values["samples"]))

    def finish(self) -> None:
        """Record the end."""
        self.finished = True


def test_trackers_see_settings_losses_speed_and_samples(tmp_path: Path) -> None:
    config, notebook = (
        small_config(tmp_path / "run", images_total=256, preview_every=128),
        Notebook(),
    )
    train(config, trackers=[notebook])
    assert notebook.settings["batch_size"] == config.batch_size
    losses_seen = [(step, row) for step, row in notebook.rows if "loss" in row]
    assert [step for step, _ in losses_seen] == list(range(32, 257, 32))
    assert set(losses_seen[-1][1]) == {
        *("loss", "learning_rate", "gradient_norm", "images_per_second", "ema_decay"),
    }
    assert all(row["gradient_norm"] > 0 for _, row in losses_seen)
    ((at, validation),) = [(s, row) for s, row in notebook.rows if "validation_loss" in row]
    assert at == 256
    assert [name for name in validation if "by_level" in name] == [
        f"validation_loss_by_level/{level}" for level in range(LEVEL_BINS)
    ]
    assert [step for step, _ in notebook.pictures] == [128, 256]
    assert notebook.pictures[0][1].shape[-1] == 3
    assert notebook.finished
    logged = [row for row in read_run_json(config)["log"] if "loss" in row]
    assert [row["loss"] for row in logged] == [row["loss"] for _, row in losses_seen]


def test_tensorboard_shows_a_run_by_default(tmp_path: Path) -> None:
    config = small_config(tmp_path / "run", images_total=128, report_to="auto")
    train(config)
    events = EventAccumulator(str(RunFolder(config.output_dir).trackers / "fashion-ddpm")).Reload()
    names = ("loss", "validation_loss")
    scalars = {(event.step, name): event.value for name in names for event in events.Scalars(name)}
    assert scalars == pytest.approx(read_losses(config))
    assert events.Tags()["images"]


def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers, "get_available_trackers", list)
    with pytest.raises(ConfigError, match=r'--report-to trackio needs .+"pip install trackio"'):
        train(small_config(tmp_path / "run", report_to="trackio"))
    assert not (tmp_path / "run").exists()
