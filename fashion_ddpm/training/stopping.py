"""What stops a run early: a signal, or a loss that is not finite."""

import signal
from types import FrameType

import torch
from accelerate import PartialState
from torch import Tensor

from fashion_ddpm.checkpoints.atomic_folders import list_states
from fashion_ddpm.core.distributed import gather_parts
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.step_plan import step_seed
from fashion_ddpm.training.run_folder import RunFolder

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

NO_DIVERGENCE = 2**62
"""Value of Divergence.first_step while all values are finite."""

STOP_CHECK_STEPS = 10
"""With several processes, steps between exchanges on whether to stop."""


class TrainingError(UserError):
    """A run cannot continue; the message is one sentence with the fix."""


class StopOnSignal:
    """A context in which SIGINT and SIGTERM set `requested` instead of ending the process."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> "StopOnSignal":
        self._handlers = [signal.signal(number, self._request) for number in STOP_SIGNALS]
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in zip(STOP_SIGNALS, self._handlers, strict=True):
            signal.signal(number, handler)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True

    def should_stop(self, step: int) -> bool:
        """Return whether to stop at a step, the same in all processes."""
        if PartialState().num_processes == 1:
            return self.requested
        return step % STOP_CHECK_STEPS == 0 and any(gather_parts(self.requested))


class Divergence:
    """Records the first step with a value that is not finite, without synchronizing the device.

    Attributes:
        first_step: int64 [], counted from 0; NO_DIVERGENCE while all values are finite.
    """

    def __init__(self, device: torch.device) -> None:
        self.first_step = torch.full((), NO_DIVERGENCE, dtype=torch.int64, device=device)

    def record(self, step: int, *values: Tensor) -> None:
        """Record a step's values, each float [] on the device."""
        finite = torch.isfinite(torch.stack([value.float() for value in values])).all()
        earliest = self.first_step.clamp(max=step)
        self.first_step = torch.where(finite, self.first_step, earliest)

    def raise_if_diverged(self, seed: int, folder: RunFolder) -> None:
        """Raise an error on all processes if one of them recorded a value that is not finite.

        Args:
            seed: the run's seed.
            folder: the run's folder; its newest state is older than that step.

        Raises:
            TrainingError: such a value was recorded.
        """
        first = min(gather_parts(int(self.first_step)))
        if first == NO_DIVERGENCE:
            return
        problem = (
            f"the loss or its gradient is no longer a number at step {first:,} "
            f"(the batch's seed is {step_seed(seed, first)})"
        )
        fix = "a lower --learning-rate or --mixed-precision no"
        saved = list_states(folder.states)
        if not saved:
            raise TrainingError(f"{problem}, before any state was saved: start again with {fix}.")
        raise TrainingError(
            f"{problem}; the last good state is {saved[0]}: start from its weights with "
            f"--initial-checkpoint {folder.checkpoint}, another --output-dir, and {fix}."
        )
