"""Tests of addresses and of how often one may ask."""

import pytest

from fashion_ddpm.server.rate_limit import MAX_ADDRESSES, RateLimiter, network_of


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("93.184.216.34", "93.184.216.34"),
        ("::ffff:93.184.216.34", "93.184.216.34"),
        ("2606:4700::1234:1", "2606:4700::/64"),
        ("", ""),
        ("<script>", ""),
    ],
)
def test_a_visitor_is_known_by_an_address_or_by_the_network_of_one_subscriber(
    client: str, expected: str
) -> None:
    assert network_of(client) == expected


def test_a_bucket_gives_a_burst_and_is_refilled_steadily() -> None:
    now = [0.0]
    limiter = RateLimiter(burst=2, per_minute=30, clock=lambda: now[0])
    assert [limiter.take_token("a") for _ in range(3)] == [0, 0, 2]
    assert limiter.take_token("b") == 0
    now[0] = 2
    assert [limiter.take_token("a") for _ in range(2)] == [0, 2]
    now[0] = 1000
    assert [limiter.take_token("a") for _ in range(3)] == [0, 0, 2]


def test_a_flood_of_addresses_fills_no_memory() -> None:
    limiter = RateLimiter(burst=1, per_minute=1)
    for number in range(MAX_ADDRESSES + 1):
        limiter.take_token(str(number))
    assert limiter.take_token("1") > 0  # one of those that are remembered
    assert limiter.take_token("0") == 0  # the one that was silent longest
