"""From which saved state a run goes on: the newest whole one, if it is of this run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.manifest import is_whole
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.training.run_folder import RunFolder


def state_to_resume(
    folder: RunFolder, config: TrainConfig, say: Callable[[str], None]
) -> Path | None:
    """Return the newest whole state of a run, or None where it is still to begin.

    Args:
        folder: the run's folder; nothing in it is changed.
        config: the run.
        say: prints a line.

    Raises:
        ConfigError: the state, or the folder, is of another run; or no state is whole.
        FileError: the record of the run's settings is damaged.
    """
    folder.check_same_run(config)
    states = atomic_folders.states(folder.states)
    for state in states:
        if is_whole(state):
            folder.check_state(state, config)
            return state
        say(f"{state} is damaged; trying the state before it")
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
