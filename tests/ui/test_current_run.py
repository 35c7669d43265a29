"""Tests of which of a visitor's runs may go on; test_hands has them in a browser."""

import pytest

from fashion_ddpm.server.monitoring import StoppedError
from fashion_ddpm.ui.current_run import CurrentRun


def begin(current: CurrentRun, number: int) -> None:
    list(current.watch(number, iter)(iter([])))


def test_only_the_newest_run_goes_on() -> None:
    current = CurrentRun()
    older, newer = current.ask(), current.ask()
    begin(current, older)
    begin(current, newer)
    current.check(newer)
    with pytest.raises(StoppedError):
        current.check(older)
    assert not current.was_stopped(older)


def test_a_run_that_never_begins_ends_no_other() -> None:
    current = CurrentRun()
    running = current.ask()
    begin(current, running)
    current.ask()  # and refused: too many requests
    current.check(running)


def test_stop_ends_the_newest_until_the_next_begins() -> None:
    current = CurrentRun()
    first = current.ask()
    current.stop()
    with pytest.raises(StoppedError):
        current.check(first)
    assert current.was_stopped(first)
    second = current.ask()
    current.check(second)
    assert not current.was_stopped(first)


def test_a_run_that_was_stopped_while_it_waited_takes_no_step() -> None:
    current = CurrentRun()
    number = current.ask()
    current.stop()
    with pytest.raises(StoppedError):
        begin(current, number)
