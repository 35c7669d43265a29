"""Tests that a signal becomes a wish."""

import os
import signal

import pytest

from fashion_ddpm.training.stopping import StopOnSignal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_afterwards_works_as_before(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    stop = StopOnSignal()
    with stop:
        assert not stop.asked
        os.kill(os.getpid(), number)
        assert stop.asked
    assert signal.getsignal(number) is before
