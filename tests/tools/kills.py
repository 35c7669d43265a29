"""A run that kills its own process at a chosen point, as kill -9 would."""

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
    """Kills this process when it is met for so many times."""

    def __init__(self, num_events: int) -> None:
        self.left = num_events

    def count(self) -> None:
        """Kill, or comes one step nearer to it."""
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


class KilledRun(Run):
    """A run that meets its countdown at every step."""

    countdown: KillCountdown

    def _step(self) -> Tensor:
        self.countdown.count()
        return super()._step()


def train_until_killed(config: TrainConfig, num_events: int) -> None:
    """Train until so many steps and operations on the run's files have begun, then dies.

    Python announces each operation on a file before it does it (PEP 578), so a death may fall
    between any two of them, in the middle of a save too. A run with fewer of them ends well.
    """
    countdown = KillCountdown(num_events)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in FILE_EVENTS and str(arguments[0]).startswith(config.output_dir):
            countdown.count()

    tqdm.set_lock(RLock())  # its own lock, of the system's, would outlive a killed process
    sys.addaudithook(watch)
    run = KilledRun(config)
    run.countdown = countdown
    with acquire_run_lock(run.folder.lock) as run.run_lock:
        run.resume()
        run.loop()
