"""The output of a run: printed lines, a progress bar, the rows of its log."""

import math
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from torch import Tensor
from tqdm import tqdm

from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.step_plan import learning_rate_at
from fashion_ddpm.training.run_folder import LogRow, Progress
from fashion_ddpm.training.trackers import scalars


class RunLog:
    """Log rows, tracker calls and printed lines; only the main process prints.

    Attributes:
        send: sends scalars and the images seen to the trackers.
        bar: the progress bar, shown only on a terminal.
    """

    def __init__(
        self,
        config: TrainConfig,
        progress: Progress,
        is_main: bool,
        send: Callable[[dict[str, float], int], None],
    ) -> None:
        self.config, self.progress, self.is_main, self.send = config, progress, is_main, send
        self._last_loss = (0, 0.0)  # step and time of the last row with a loss

    @property
    def images_seen(self) -> int:
        """The number of images that all processes together have trained on."""
        return self.progress.step * self.config.batch_size

    def print(self, line: str) -> None:
        """Print a line, on the main process only."""
        if self.is_main:
            tqdm.write(line, file=sys.stderr)

    def begin(self) -> None:
        """Start the clock and the progress bar when the run starts or resumes."""
        self._last_loss = (self.progress.step, time.monotonic())
        self.bar = tqdm(
            total=self.config.images_total,
            initial=self.images_seen,
            unit="image",
            disable=not (self.is_main and sys.stderr.isatty()),
        )

    def is_due(self, every_images: int) -> bool:
        """Return whether the last step passed a multiple of every_images or ended the run."""
        before = self.images_seen - self.config.batch_size
        crossed = self.images_seen // every_images > before // every_images
        return crossed or self.progress.step == self.config.total_steps

    def record_loss(self, mean: float, gradient_norm: float, ema_decay: float) -> None:
        """Record a training loss.

        Args:
            mean: the mean loss over all processes since the last row with one.
            gradient_norm: L2 norm of the last step's gradient, before clipping.
            ema_decay: the current decay of the moving average.
        """
        step, now, (last_step, last_time) = self.progress.step, time.monotonic(), self._last_loss
        self._last_loss = (step, now)
        speed = (step - last_step) * self.config.batch_size / (now - last_time)
        seconds_left = max(0, round((self.config.images_total - self.images_seen) / speed))
        row = {
            "loss": mean,
            "learning_rate": learning_rate_at(step - 1, self.config),
            "ema_decay": ema_decay,
            "images_per_second": round(speed, 1),
        }
        # Float16 gradients may overflow, and JSON has no infinity.
        row |= {"gradient_norm": gradient_norm} if math.isfinite(gradient_norm) else {}
        time_left = timedelta(seconds=seconds_left)
        self._record(row, f"loss {mean:.4f}  {speed:,.0f} images/s  {time_left} left")

    def record_validation(self, sums: Tensor) -> None:
        """Record a validation from the sums of losses and the counts: [2, noise levels]."""
        by_level = (sums[0] / sums[1].clamp(min=1)).tolist()
        mean = (sums[0].sum() / sums[1].sum()).item()
        row = {"validation_loss": mean, "validation_loss_by_level": by_level}
        self._record(row, f"validation loss {mean:.4f}")

    def record_frechet_distance(self, value: float) -> bool:
        """Record a Fréchet distance; return whether it is the smallest so far."""
        key = "frechet_distance"
        earlier = (row.get(key, math.nan) for row in self.progress.log)
        best = min(filter(math.isfinite, earlier), default=math.inf)
        self._record({key: value}, f"Fréchet distance {value:.3f}")
        return value < best

    def _record(self, row: LogRow, line: str) -> None:
        """Add a row to the log, send it to the trackers, print a line."""
        self.progress.log.append({"images_seen": self.images_seen, **row})
        self.send(scalars(row), self.images_seen)
        self.print(f"{self.images_seen:>12,} images  {line}")
