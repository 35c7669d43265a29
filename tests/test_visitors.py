"""Tests of addresses and of how often one may ask."""

import pytest

from fashion_ddpm.visitors import REMEMBERED, Buckets, address_of


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("", "10.0.0.1"),
        ("93.184.216.34", "93.184.216.34"),
        ("1.1.1.1, 93.184.216.34", "93.184.216.34"),
        ("93.184.216.34, 10.16.0.7", "93.184.216.34"),
        ("1.1.1.1, <script>", "10.0.0.1"),
        ("2606:4700::1234:1", "2606:4700::/64"),
    ],
)
def test_the_proxys_word_counts_and_the_visitors_own_does_not(
    forwarded: str, expected: str
) -> None:
    headers = {"x-forwarded-for": forwarded}
    assert address_of("10.0.0.1", headers, behind_proxy=True) == expected
    assert address_of("10.0.0.1", headers, behind_proxy=False) == "10.0.0.1"


def test_a_bucket_gives_a_burst_and_is_refilled_steadily() -> None:
    now = [0.0]
    buckets = Buckets(burst=2, a_minute=30, clock=lambda: now[0])
    assert [buckets.seconds_to_wait("a") for _ in range(3)] == [0, 0, 2]
    assert buckets.seconds_to_wait("b") == 0
    now[0] = 2
    assert [buckets.seconds_to_wait("a") for _ in range(2)] == [0, 2]
    now[0] = 1000
    assert [buckets.seconds_to_wait("a") for _ in range(3)] == [0, 0, 2]


def test_a_flood_of_addresses_fills_no_memory() -> None:
    buckets = Buckets(burst=1, a_minute=1)
    for number in range(REMEMBERED + 100):
        buckets.seconds_to_wait(str(number))
    assert len(buckets._buckets) == REMEMBERED
