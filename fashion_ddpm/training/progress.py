"""How far a run is and what it has logged: all that a resumed run must know besides weights."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

LogRow = dict[str, Any]
"""One line of a run's log: images_seen and whatever was measured there."""


@dataclass
class Progress:
    """The part of a run's state that is not weights.

    Attributes:
        step: optimizer steps done.
        loss_sum: float32 [], sum of the steps' mean losses since the last row that has a loss.
        log: the rows so far.
    """

    step: int = 0
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros(()))
    log: list[LogRow] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        """Returns the progress for accelerate to save."""
        return {"step": self.step, "loss_sum": self.loss_sum, "log": self.log}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the progress that accelerate has loaded."""
        self.step, self.loss_sum, self.log = state["step"], state["loss_sum"], state["log"]

    def steps_since_loss(self, batch_size: int) -> int:
        """Returns the steps since the last row with a loss, which may be from before a resume."""
        rows = [row["images_seen"] for row in self.log if "loss" in row]
        return self.step - (rows[-1] // batch_size if rows else 0)
