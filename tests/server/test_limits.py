"""Tests of the server's limits."""

import argparse
import dataclasses

import pytest

from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.core.settings import ConfigError, flag_name, given_flags
from fashion_ddpm.server.limits import RENAMED_FLAGS, ServerLimits, add_limit_flags, check_work

LIMITS = [field.name for field in dataclasses.fields(ServerLimits)]


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(("value", "bound"), [(-5, "least"), (0, "least"), (10**15, "most")])
def test_a_limit_out_of_bounds_is_refused_with_its_bound(name: str, value: int, bound: str) -> None:
    if (name, value) == ("drain_seconds", 0):
        ServerLimits(drain_seconds=0)  # the only limit that may be 0
        return
    with pytest.raises(ConfigError, match=rf"{flag_name(name)} is {value}; it must be at {bound}"):
        ServerLimits(**{name: value})


def test_max_upload_is_at_most_max_temporary() -> None:
    ServerLimits(max_upload=1_000_000, max_temporary=1_000_000)
    with pytest.raises(ConfigError, match=r"--max-upload is 2000000; .+ --max-temporary"):
        ServerLimits(max_upload=2_000_000, max_temporary=1_000_000)


def test_too_many_evaluations_are_refused_with_the_limit_and_the_fix() -> None:
    check_work(1600, ServerLimits())
    with pytest.raises(RequestError, match=r"1,601 network .* at most 1,600: take fewer"):
        check_work(1601, ServerLimits())


@pytest.mark.parametrize(("old", "name"), RENAMED_FLAGS.items())
def test_a_deprecated_flag_sets_its_limit_and_is_hidden(old: str, name: str) -> None:
    parser = argparse.ArgumentParser()
    add_limit_flags(parser)
    assert given_flags(parser.parse_args([old, "99"]), ServerLimits) == {name: 99}
    assert old not in parser.format_help()
    assert flag_name(name) in parser.format_help()
