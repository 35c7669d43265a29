"""Who asks, and how often one may: addresses, and a bucket of tokens for each."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_ADDRESSES = 10_000
"""Addresses whose tokens are kept; the one that was silent longest is forgotten first."""


def network_of(client: str) -> str:
    """Return what one visitor is known by: an IPv4 address, or the /64 of an IPv6 address.

    One IPv6 subscriber is given a /64 as a whole.

    Args:
        client: the other end of the connection, or what a trusted proxy says of it; whatever is
            no address counts as one visitor.
    """
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class RateLimiter:
    """A bucket of tokens for each address, refilled steadily; a request takes one.

    Args:
        burst: tokens of a full bucket.
        per_minute: tokens that a bucket gets in a minute.
        clock: seconds, rising; it may not jump when the machine's clock is set.
    """

    def __init__(
        self, burst: int, per_minute: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._rate, self._clock = burst, per_minute / 60, clock
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take_token(self, address: str) -> float:
        """Take a token and return 0, or take none and return when there will be one."""
        now = self._clock()
        tokens, at = self._tokens.pop(address, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - at) * self._rate)
        enough = tokens >= 1
        self._tokens[address] = (tokens - enough, now)
        if len(self._tokens) > MAX_ADDRESSES:
            self._tokens.popitem(last=False)
        return 0.0 if enough else (1 - tokens) / self._rate
