"""Who asks, and how often one may: addresses, and a bucket of tokens for each."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

REMEMBERED = 10_000
"""Addresses whose buckets are kept; the one that was silent longest is forgotten first."""


def address_of(client: str, headers: Mapping[str, str], behind_proxy: bool) -> str:
    """Returns the address that a request comes from.

    Whoever asks can write anything into X-Forwarded-For, and a proxy appends what it saw: the last
    public address is the proxy's word, and all before it is the visitor's.

    Args:
        client: the other end of the connection.
        headers: the request's headers, names in lower case.
        behind_proxy: whether every connection comes from a proxy that may be believed.
    """
    if not behind_proxy:
        return client
    for entry in reversed(headers.get("x-forwarded-for", "").split(",")):
        try:
            address = ipaddress.ip_address(entry.strip())
        except ValueError:
            return client
        if address.is_global:
            return _network(address)
    return client


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Returns an IPv4 address, or the /64 that one IPv6 subscriber is given as a whole."""
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))


class Buckets:
    """A bucket of tokens for each address, refilled steadily; a request takes one.

    Args:
        burst: tokens of a full bucket.
        a_minute: tokens that a bucket gets in a minute.
        clock: seconds, rising; it may not jump when the machine's clock is set.
    """

    def __init__(
        self, burst: int, a_minute: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._rate, self._clock = burst, a_minute / 60, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_to_wait(self, address: str) -> float:
        """Takes a token and returns 0, or takes none and returns when there will be one."""
        now = self._clock()
        tokens, at = self._buckets.pop(address, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - at) * self._rate)
        enough = tokens >= 1
        self._buckets[address] = (tokens - enough, now)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if enough else (1 - tokens) / self._rate
