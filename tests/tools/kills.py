"""A run that kills its own process at a chosen point, as kill -9 does."""

import os
import signal
import sys
from threading import RLock

from torch import Tensor
from tqdm import tqdm

from fashion_ddpm.checkpoints.run_lock import acquire_run_lock
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.training.loop import Run

FILE_EVENTS = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}


class KillCountdown:
    """A countdown that kills this process at zero."""

    def __init__(self, num_events: int) -> None:
        self.remaining = num_events

    def count(self) -> None:
        """Count one event."""
        self.remaining -= 1
        if not self.remaining:
            os.kill(os.getpid(), signal.SIGKILL)


class KilledRun(Run):
    """A run that counts its steps."""

    countdown: KillCountdown

    def _step(self) -> Tensor:
        self.countdown.count()
        return super()._step()


def train_until_killed(config: TrainConfig, num_events: int) -> None:
    """Train until so many steps and operations on the run's files have begun, then die.

    Audit hooks are called before each file operation (PEP 578), so the kill can come between any
    two of them, even within a save. A run with fewer events ends normally.
    """
    countdown = KillCountdown(num_events)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in FILE_EVENTS and str(arguments[0]).startswith(config.output_dir):
            countdown.count()

    tqdm.set_lock(RLock())  # its default, a system-wide lock, would outlive a killed process
    sys.addaudithook(watch)
    run = KilledRun(config)
    run.countdown = countdown
    with acquire_run_lock(run.folder.lock) as run.run_lock:
        run.resume()
        run.loop()
