"""What a run starts from: its newest saved state, or the weights of a checkpoint."""

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
from fashion_ddpm.diffusion.schedule_check import build_run_noise_scheduler
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
"""Settings that a distilled network must share with its teacher."""


def read_teacher_settings(checkpoint: str) -> dict[str, Any]:
    """Return the SHARED_SETTINGS in a teacher's run.json.

    Raises:
        CheckpointError: the teacher is missing.
    """
    settings = read_run(locate_checkpoint(checkpoint)).get("config", {})
    return {name: settings[name] for name in SHARED_SETTINGS if name in settings}


def build_initial_unet(config: TrainConfig, kind: ImageKind) -> tuple[UNet2DModel, dict[str, Any]]:
    """Return the network a run starts with: random weights, or those of a published checkpoint.

    Args:
        config: the run.
        kind: the kind of images to draw.

    Returns:
        The network, and the entries of run.json about the initial checkpoint or the teacher.

    Raises:
        ConfigError: the checkpoint does not fit the run's settings or images.
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
    shape = pipeline.unet.config
    try:
        unet.load_state_dict(pipeline.unet.state_dict())
    except RuntimeError as error:
        raise ConfigError(
            f"{flag} {checkpoint} holds a network of "
            f"{list(shape['block_out_channels'])} channels and "
            f"{shape['layers_per_block']} layers a block that does not fit "
            "this run's settings; give the settings in its run.json."
        ) from error
    run = read_run(checkpoint)
    names = ("images_seen", "commit", "device", "started_from")
    facts = {name: run[name] for name in names if name in run}
    if not config.teacher:
        return unet, {"started_from": facts}
    facts["weights_sha256"] = weights_hash(pipeline)
    return unet, {"sampler": TURBO, "teacher": facts}


def _check_teacher(teacher: FashionDDPMPipeline, config: TrainConfig) -> None:
    """Raise ConfigError if the run's prediction type or noise schedule does not fit the teacher."""
    if config.prediction_type != "v_prediction":
        raise ConfigError(
            f"--prediction-type is {config.prediction_type}; a network to distil must predict v: "
            "train the teacher with --prediction-type v_prediction."
        )
    expected, actual = alpha_bars(teacher.scheduler), alpha_bars(build_run_noise_scheduler(config))
    same = len(expected) == len(actual) and np.allclose(expected, actual, rtol=1e-4)
    if not same or teacher.scheduler.config["prediction_type"] != config.prediction_type:
        raise ConfigError(
            f"--teacher {config.teacher} was trained on another noise schedule, or predicts "
            "something else, than this run; give the settings in its run.json."
        )


def find_state_to_resume(
    folder: RunFolder, config: TrainConfig, print_line: Callable[[str], None]
) -> Path | None:
    """Return the newest intact state of a run, or None if the run is new.

    Args:
        folder: the run's folder; nothing in it is changed.
        config: the run.
        print_line: prints a line about each damaged state.

    Raises:
        ConfigError: the folder or the state belongs to another run, or all states are damaged.
        FileError: the run's config.json is damaged.
    """
    folder.check_same_run(config)
    states = atomic_folders.list_states(folder.states)
    for state in states:
        if is_intact(state):
            folder.check_state(state, config)
            return state
        print_line(f"{state} is damaged; trying the state before it")
    if states and not config.from_state:  # a cool-down can copy its first state again
        raise ConfigError(
            f"{folder.states} holds no state that is whole; delete it to begin again, or name "
            "another --output-dir."
        )
    return None


def load_state(accelerator: Any, state: Path) -> None:
    """Load a state.

    Args:
        accelerator: an accelerate.Accelerator that has prepared or registered the run's parts.
        state: the state's folder.

    Raises:
        ConfigError: its files do not fit this run.
    """
    try:
        accelerator.load_state(str(state))
    except Exception as error:  # torch, pickle and safetensors have no common error class
        # Not torch's message: it advises to load the pickle with weights_only=False.
        pickled = type(error).__name__ == "UnpicklingError"
        why = "it holds a pickle that may run any code" if pickled else reason(error)
        raise ConfigError(
            f"{state} cannot be loaded ({why}): it is not of this run, or of another version of "
            "this program; move it away, so that the state before it is taken, or name another "
            "--output-dir."
        ) from error
