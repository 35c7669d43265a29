"""Tests of what stops a run early: a signal, or a loss that is not finite."""

import os
import signal
from pathlib import Path

import pytest
import torch

from fashion_ddpm.core.step_plan import step_seed
from fashion_ddpm.training.run_folder import RunFolder
from fashion_ddpm.training.stopping import NO_DIVERGENCE, Divergence, StopOnSignal, TrainingError

CPU = torch.device("cpu")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_recorded_and_its_handler_restored(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    stop = StopOnSignal()
    with stop:
        assert not stop.requested
        os.kill(os.getpid(), number)
        assert stop.requested
        assert stop.should_stop(step=1)
    assert signal.getsignal(number) is before


def test_the_first_step_that_is_not_finite_is_recorded() -> None:
    divergence = Divergence(CPU)
    finite, infinite = torch.tensor(1.0), torch.tensor(torch.inf)
    divergence.record(0, finite, finite)
    assert divergence.first_step == NO_DIVERGENCE
    divergence.record(1, finite, infinite)
    divergence.record(2, torch.tensor(torch.nan), finite)
    divergence.record(3, finite, finite)
    assert divergence.first_step == 1


def test_the_sentence_names_the_step_its_seed_and_the_last_good_state(tmp_path: Path) -> None:
    folder, divergence = RunFolder(tmp_path), Divergence(CPU)
    divergence.raise_if_diverged(5, folder)
    divergence.record(1234, torch.tensor(torch.nan))
    with pytest.raises(TrainingError, match="before any state was saved: start again"):
        divergence.raise_if_diverged(5, folder)
    for images in (64, 128):
        folder.state(images).mkdir(parents=True)
    with pytest.raises(TrainingError) as caught:
        divergence.raise_if_diverged(5, folder)
    for part in ("step 1,234", f"seed is {step_seed(5, 1234)}", f"state is {folder.state(128)}"):
        assert part in str(caught.value)
