"""Rate limits: a token bucket for each client address."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_ADDRESSES = 10_000
"""Addresses whose buckets are kept; the least recent one is dropped first."""


def network_of(client: str) -> str:
    """Return the key of a client's rate limit: its IPv4 address, or the /64 of its IPv6 address.

    One IPv6 subscriber usually has a /64.

    Args:
        client: the client's address; the key of anything else is "".
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
    """A token bucket for each address; a request takes one token.

    Args:
        burst: tokens of a full bucket.
        per_minute: tokens added per minute.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self, burst: int, per_minute: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._rate, self._clock = burst, per_minute / 60, clock
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take_token(self, address: str) -> float:
        """Take a token and return 0; or, if there is none, return the seconds until there is."""
        now = self._clock()
        tokens, last = self._tokens.pop(address, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - last) * self._rate)
        is_allowed = tokens >= 1
        self._tokens[address] = (tokens - is_allowed, now)
        if len(self._tokens) > MAX_ADDRESSES:
            self._tokens.popitem(last=False)
        return 0.0 if is_allowed else (1 - tokens) / self._rate
