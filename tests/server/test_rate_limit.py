"""Tests of the rate limiter and its addresses."""

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
def test_clients_are_told_apart_by_ipv4_address_or_ipv6_network(client: str, expected: str) -> None:
    assert network_of(client) == expected


def test_a_bucket_allows_a_burst_and_refills() -> None:
    now = [0.0]
    limiter = RateLimiter(burst=2, per_minute=30, clock=lambda: now[0])
    assert [limiter.take_token("a") for _ in range(3)] == [0, 0, 2]
    assert limiter.take_token("b") == 0
    now[0] = 2
    assert [limiter.take_token("a") for _ in range(2)] == [0, 2]
    now[0] = 1000
    assert [limiter.take_token("a") for _ in range(3)] == [0, 0, 2]


def test_the_number_of_buckets_is_bounded() -> None:
    limiter = RateLimiter(burst=1, per_minute=1)
    for number in range(MAX_ADDRESSES + 1):
        limiter.take_token(str(number))
    assert limiter.take_token("1") > 0  # kept
    assert limiter.take_token("0") == 0  # dropped as the least recent
