"""Tests of what a server lets its visitors ask."""

import pytest

from fashion_ddpm.limits import ServerLimits, check_work
from fashion_ddpm.request import RequestError
from fashion_ddpm.settings import ConfigError


def test_the_bounds_themselves_have_bounds() -> None:
    with pytest.raises(ConfigError, match="--visitors-at-once is 0; it must be at least 1"):
        ServerLimits(visitors_at_once=0)


def test_work_is_bounded_and_the_message_names_it_the_bound_and_the_fix() -> None:
    check_work(1600, ServerLimits())
    with pytest.raises(RequestError, match=r"1,601 UNet .* at most 1,600: take fewer"):
        check_work(1601, ServerLimits())
