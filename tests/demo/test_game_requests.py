"""Tests of the games' requests."""

from collections.abc import Callable
from typing import Any

import pytest

from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.demo.game_requests import (
    BlendRequest,
    CustomScheduleRequest,
    RedrawRequest,
    WalkRequest,
)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BlendRequest("hat", "bag", 0), "class is 'hat'"),
        (lambda: BlendRequest("bag", "all", 0), "class is 'all'"),
        (lambda: BlendRequest("bag", "coat", 0.5), "seed of the blend is 0.5"),  # type: ignore[arg-type]
        (lambda: WalkRequest("bag", -1, 0), "from seed is -1"),
        (lambda: WalkRequest("bag", 0, 2**32), "to seed is 4294967296"),
        (lambda: RedrawRequest(None, 0.5), "class is empty"),  # type: ignore[arg-type]
        (lambda: RedrawRequest("bag", float("nan")), "strength is nan"),
        (lambda: RedrawRequest("bag", "1"), "strength is '1'"),  # type: ignore[arg-type]
        (lambda: CustomScheduleRequest(10**9, 1e-4, 0.02, "bag"), "T is 1000000000"),
        (lambda: CustomScheduleRequest(100, True, 0.02, "bag"), "first beta is True"),
        (lambda: CustomScheduleRequest(100, 1e-4, float("inf"), "bag"), "last beta is inf"),
    ],
)
def test_the_games_have_bounds_too(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(RequestError, match=f"{message}; it must be "):
        make()


def test_the_games_know_the_classes_of_their_network() -> None:
    names = ("cat", "dog")
    BlendRequest("dog", "cat", 0, names)
    RedrawRequest("dog", 1, names)
    with pytest.raises(RequestError, match="class is 'bag'; it must be one of cat, dog"):
        WalkRequest("bag", 0, 1, names)
