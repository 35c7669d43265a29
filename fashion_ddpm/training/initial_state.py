"""From where a run starts: its newest saved state, or published weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from diffusers import UNet2DModel

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.locate import locate_checkpoint, read_run
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.config import TURBO, TrainConfig
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, weights_hash
from fashion_ddpm.diffusion.schedule_check import training_noise
from fashion_ddpm.diffusion.schedules import alpha_bars
from fashion_ddpm.diffusion.unet import build_unet
from fashion_ddpm.training.run_folder import RunFolder

SHARED_SETTINGS = (
    "block_out_channels",
    "layers_per_block",
    "attention_resolutions",
    "scale_shift",
    "noise_schedule",
    "num_train_timesteps",
    "beta_scale",
    "prediction_type",
)
"""Settings that a distilled network shares with its teacher."""


def read_teacher_settings(checkpoint: str) -> dict[str, Any]:
    """Return the settings that a distillation takes over, from run.json in the teacher's folder.

    Raises:
        CheckpointError: the teacher is not there.
    """
    settings = read_run(locate_checkpoint(checkpoint)).get("config", {})
    return {name: settings[name] for name in SHARED_SETTINGS if name in settings}


def build_initial_unet(config: TrainConfig, kind: ImageKind) -> tuple[UNet2DModel, dict[str, Any]]:
    """Return the network a run starts with: random weights, or those of a published checkpoint.

    Args:
        config: the run.
        kind: what it shall draw.

    Returns:
        The network, and what run.json says of the training before this run: nothing, a start, or a
        teacher.

    Raises:
        ConfigError: the checkpoint's network has another shape than the run's, or cannot be taught.
        CheckpointError: the checkpoint cannot be loaded.
    """
    unet = build_unet(config, kind)
    flag = "--teacher" if config.teacher else "--initial-checkpoint"
    checkpoint = config.teacher or config.initial_checkpoint
    if not checkpoint:
        return unet, {}
    pipeline = load_pipeline(checkpoint)
    if pipeline.kind != kind:
        raise ConfigError(
            f"{flag} {checkpoint} draws {pipeline.kind}, but the data set has {kind}; start from "
            "random weights, or name another."
        )
    if config.teacher:
        _check_teacher(pipeline, config)
    published = pipeline.unet
    try:
        unet.load_state_dict(published.state_dict())
    except RuntimeError as error:
        raise ConfigError(
            f"{flag} {checkpoint} holds a network of "
            f"{list(published.config['block_out_channels'])} channels and "
            f"{published.config['layers_per_block']} layers a block that does not fit "
            "this run's settings; give the settings in its run.json."
        ) from error
    before = read_run(checkpoint)
    kept = ("images_seen", "commit", "device", "started_from")
    facts = {name: before[name] for name in kept if name in before}
    if not config.teacher:
        return unet, {"started_from": facts}
    facts["weights_sha256"] = weights_hash(pipeline)
    return unet, {"sampler": TURBO, "teacher": facts}


def _check_teacher(teacher: FashionDDPMPipeline, config: TrainConfig) -> None:
    """Raise ConfigError for a teacher that cannot teach, or not under this run's settings."""
    if config.prediction_type != "v_prediction":
        raise ConfigError(
            f"--prediction-type is {config.prediction_type}; a network to distil must predict v: "
            "train the teacher with --prediction-type v_prediction."
        )
    theirs, ours = alpha_bars(teacher.scheduler), alpha_bars(training_noise(config))
    same = len(theirs) == len(ours) and np.allclose(theirs, ours, rtol=1e-4)
    if not same or teacher.scheduler.config["prediction_type"] != config.prediction_type:
        raise ConfigError(
            f"--teacher {config.teacher} was trained on another noise schedule, or predicts "
            "something else, than this run; give the settings in its run.json."
        )


def find_state_to_resume(
    folder: RunFolder, config: TrainConfig, print_line: Callable[[str], None]
) -> Path | None:
    """Return the newest whole state of a run, or None where it is still to begin.

    Args:
        folder: the run's folder; nothing in it is changed.
        config: the run.
        print_line: prints a line.

    Raises:
        ConfigError: the state, or the folder, is of another run; or no state is whole.
        FileError: the record of the run's settings is damaged.
    """
    folder.check_same_run(config)
    states = atomic_folders.list_states(folder.states)
    for state in states:
        if is_intact(state):
            folder.check_state(state, config)
            return state
        print_line(f"{state} is damaged; trying the state before it")
    if states and not config.from_state:  # from which a cool-down begins anew
        raise ConfigError(
            f"{folder.states} holds no state that is whole; delete it to begin again, or name "
            "another --output-dir."
        )
    return None


def load_state(accelerator: Any, state: Path) -> None:
    """Load a whole state.

    Args:
        accelerator: accelerate's, to which the run's parts are known.
        state: the folder.

    Raises:
        ConfigError: it holds something else than the parts of this run.
    """
    try:
        accelerator.load_state(str(state))
    except Exception as error:  # torch, pickle and safetensors each fail in their own ways
        # torch's own words on a pickle advise to run it.
        pickled = type(error).__name__ == "UnpicklingError"
        why = "it holds a pickle that may run any code" if pickled else reason(error)
        raise ConfigError(
            f"{state} cannot be loaded ({why}): it is not of this run, or of another version of "
            "this program; move it away, so that the state before it is taken, or name another "
            "--output-dir."
        ) from error
