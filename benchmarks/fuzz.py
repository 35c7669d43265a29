"""Does anything break it? Requests that nobody should send, a great many, to a running app.

python -m benchmarks.fuzz starts app.py and prints a Markdown table: how many requests of which kind
got which answer. Most are refused before the network runs; sound ones take one step.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from benchmarks.tables import table
from fashion_ddpm.core.config import SAMPLERS, SCHEDULES
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.provenance import current_commit
from tests.tools.asking import API, CALL, SOUND, Answer, call, join, link_event, send
from tests.tools.serving import served
from tests.tools.strangeness import VALUES, WORDS

ANSWERS = ("images", "page", "sentence", "silent", "broken", "5xx")
GOOD = ("images", "page", "sentence")
WORKERS = 4

Kind = Callable[[str, random.Random], Answer]


def sound_program(address: str, chance: random.Random) -> Answer:
    """Ask for an image that may be asked for."""
    name, schedule = chance.choice(CLASS_NAMES), chance.choice(SCHEDULES)
    sampler, scale = chance.choice(SAMPLERS), chance.uniform(1, 10)
    seed = chance.randrange(2**32)
    return call(address, [name, schedule, 1, sampler, scale, 1, seed, "embedded"])


def strange_program(address: str, chance: random.Random) -> Answer:
    """Ask with one to three values that may not be."""
    data = list(SOUND)
    for index in chance.sample(range(len(data)), chance.randint(1, 3)):
        data[index] = chance.choice(list(VALUES.values())[index])
    return call(address, data)


def strange_list(address: str, chance: random.Random) -> Answer:
    """Ask with a list of anything, of any length."""
    return call(address, chance.choices([*WORDS, *SOUND], k=chance.randrange(12)))


def strange_link(address: str, chance: random.Random) -> Answer:
    """Open the page at a link of anything."""
    words = ["class", "images", "schedule", "sampler", "steps", "guidance", "seed", "model", "x"]
    values = [*map(str, WORDS), *CLASS_NAMES, "1", "1e9", "nan"]
    pairs = [(chance.choice(words), chance.choice(values)[:200]) for _ in range(6)]
    query = urlencode(pairs, errors="replace")
    return join(address, link_event(address), [], f"f{chance.randrange(2**32)}", query=query)


def strange_body(address: str, chance: random.Random) -> Answer:
    """Send bytes, or half of a sound body, to anything that takes a body."""
    ends = ("call/generate", "call/v2/generate", "queue/join", "run/predict", "cancel", "upload")
    body = chance.choice(
        [
            chance.randbytes(chance.randrange(300)),
            b'{"data": ["bag", "cosine", 1'[: chance.randrange(28)],
            b"[" * chance.randrange(20_000),
            b'{"fn_index": %d, "data": [], "session_hash": "a"}' % chance.randrange(-9, 999),
        ]
    )
    return send(address, "POST", f"{API}/{chance.choice(ends)}", body)


def strange_address(address: str, chance: random.Random) -> Answer:
    """Ask for addresses that are closed or are none."""
    starts = (
        "/",
        f"{API}/",
        f"{API}/file=",
        "/assets/",
        "/static/",
        f"{API}/call/",
        "/monitoring/",
    )
    ends = ("../../etc/passwd", "http://127.0.0.1:1/", "%00", "%2e%2e/app.py", "runs", "x" * 2000)
    method = chance.choice(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"))
    return send(address, method, chance.choice(starts) + chance.choice(ends))


def foreign_page(address: str, chance: random.Random) -> Answer:
    """Ask from another page."""
    origin = chance.choice(["https://evil.example", "null", "http://localhost:1", "x"])
    return send(address, "POST", CALL, {"data": list(SOUND)}, {"Origin": origin})


KINDS: dict[str, tuple[float, Kind]] = {
    "sound programs, one step": (0.05, sound_program),
    "programs with strange values": (0.35, strange_program),
    "programs with strange lists": (0.15, strange_list),
    "strange share links": (0.15, strange_link),
    "strange bodies": (0.15, strange_body),
    "strange addresses": (0.1, strange_address),
    "requests of foreign pages": (0.05, foreign_page),
}
"""Name → its share of all requests, and what it sends."""


def named(answer: Answer) -> str:
    """Return what a table calls an answer."""
    return "5xx" if answer.status >= 500 else answer.kind


def asked(address: str, requests: int, seed: int) -> dict[str, Counter[str]]:
    """Send all requests, a few at a time; return how often each kind got each answer."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in KINDS}

    def orders() -> Iterator[tuple[str, int]]:
        chance = random.Random(seed)
        shares = [share for share, _ in KINDS.values()]
        for number in range(requests):
            yield chance.choices(list(KINDS), shares)[0], number

    def one(order: tuple[str, int]) -> tuple[str, Answer]:
        name, number = order
        return name, KINDS[name][1](address, random.Random(f"{seed} {number}"))

    with ThreadPoolExecutor(WORKERS) as threads:
        for name, answer in threads.map(one, orders()):
            counts[name][named(answer)] += 1
            if named(answer) not in GOOD:
                print(f"{name}: {answer}"[:500], file=sys.stderr)
    return counts


def main() -> None:
    """Print the table; fail where anything got an answer that it should not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with served() as address:
        counts = asked(address, arguments.requests, arguments.seed)
        well = send(address, "GET", "/readyz").status == 200
    print(f"Seed {arguments.seed}; commit {current_commit()}; afterwards ready: {well}\n")
    counts["all"] = sum(counts.values(), Counter())
    rows = [
        [name, found.total(), *(found[answer] for answer in ANSWERS)]
        for name, found in counts.items()
    ]
    print(table(("kind", "sent", *ANSWERS), rows))
    bad = sum(counts["all"][answer] for answer in ANSWERS[len(GOOD) :])
    if bad or not well:
        sys.exit(f"{bad} requests got an answer that nobody should get.")


if __name__ == "__main__":
    main()
