"""Tests of which of a visitor's runs may go on; test_hands has them in a browser."""

import pytest

from fashion_ddpm.supervision import StoppedError
from fashion_ddpm.ui.current_run import CurrentRun


def test_only_the_newest_run_goes_on() -> None:
    current = CurrentRun()
    older, newer = current.begin(), current.begin()
    current.check(newer)
    with pytest.raises(StoppedError):
        current.check(older)
    assert not current.says_so(older)


def test_stop_ends_the_newest_until_the_next_begins() -> None:
    current = CurrentRun()
    first = current.begin()
    current.stop()
    with pytest.raises(StoppedError):
        current.check(first)
    assert current.says_so(first)
    second = current.begin()
    current.check(second)
    assert not current.says_so(first)


def test_a_run_that_was_stopped_while_it_waited_takes_no_step() -> None:
    current = CurrentRun()
    number = current.begin()
    current.stop()
    with pytest.raises(StoppedError):
        next(iter(current.watch(number, iter)(iter([]))))
