"""Send many invalid requests to a running app and count its answers.

python -m benchmarks.fuzz starts app.py and prints a Markdown table: how many requests of each kind
got which answer. Most are refused before the network runs; valid ones take one step.
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
from tests.tools.asking import API, CALL, VALID_DATA, Answer, call, find_link_event, join, send
from tests.tools.serving import serve_app
from tests.tools.strangeness import INVALID_VALUES, INVALID_WORDS

ANSWER_KINDS = ("images", "page", "sentence", "silent", "broken", "5xx")
GOOD_ANSWERS = ("images", "page", "sentence")
WORKERS = 4

SendRequest = Callable[[str, random.Random], Answer]


def send_valid_request(address: str, rng: random.Random) -> Answer:
    """Request one image with valid values."""
    name, schedule = rng.choice(CLASS_NAMES), rng.choice(SCHEDULES)
    sampler, scale = rng.choice(SAMPLERS), rng.uniform(1, 10)
    seed = rng.randrange(2**32)
    return call(address, [name, schedule, 1, sampler, scale, 1, seed, "embedded"])


def send_invalid_values(address: str, rng: random.Random) -> Answer:
    """Send a request with one to three invalid values."""
    data = list(VALID_DATA)
    for index in rng.sample(range(len(data)), rng.randint(1, 3)):
        data[index] = rng.choice(list(INVALID_VALUES.values())[index])
    return call(address, data)


def send_invalid_list(address: str, rng: random.Random) -> Answer:
    """Send a random list of any length."""
    return call(address, rng.choices([*INVALID_WORDS, *VALID_DATA], k=rng.randrange(12)))


def open_invalid_link(address: str, rng: random.Random) -> Answer:
    """Open the page with a random query string."""
    words = ["class", "images", "schedule", "sampler", "steps", "guidance", "seed", "model", "x"]
    values = [*map(str, INVALID_WORDS), *CLASS_NAMES, "1", "1e9", "nan"]
    pairs = [(rng.choice(words), rng.choice(values)[:200]) for _ in range(6)]
    query = urlencode(pairs, errors="replace")
    return join(address, find_link_event(address), [], f"f{rng.randrange(2**32)}", query=query)


def send_invalid_body(address: str, rng: random.Random) -> Answer:
    """Send random bytes, or part of a valid body, to an address that takes one."""
    ends = ("call/generate", "call/v2/generate", "queue/join", "run/predict", "cancel", "upload")
    body = rng.choice(
        [
            rng.randbytes(rng.randrange(300)),
            b'{"data": ["bag", "cosine", 1'[: rng.randrange(28)],
            b"[" * rng.randrange(20_000),
            b'{"fn_index": %d, "data": [], "session_hash": "a"}' % rng.randrange(-9, 999),
        ]
    )
    return send(address, "POST", f"{API}/{rng.choice(ends)}", body)


def request_invalid_path(address: str, rng: random.Random) -> Answer:
    """Request an address that is forbidden or does not exist."""
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
    method = rng.choice(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"))
    return send(address, method, rng.choice(starts) + rng.choice(ends))


def send_cross_origin(address: str, rng: random.Random) -> Answer:
    """Send a request with the Origin of another site."""
    origin = rng.choice(["https://evil.example", "null", "http://localhost:1", "x"])
    return send(address, "POST", CALL, {"data": list(VALID_DATA)}, {"Origin": origin})


REQUEST_KINDS: dict[str, tuple[float, SendRequest]] = {
    "sound programs, one step": (0.05, send_valid_request),
    "programs with strange values": (0.35, send_invalid_values),
    "programs with strange lists": (0.15, send_invalid_list),
    "strange share links": (0.15, open_invalid_link),
    "strange bodies": (0.15, send_invalid_body),
    "strange addresses": (0.1, request_invalid_path),
    "requests of foreign pages": (0.05, send_cross_origin),
}
"""Name → its share of all requests, and the function that sends one."""


def classify(answer: Answer) -> str:
    """Return the column of an answer."""
    return "5xx" if answer.status >= 500 else answer.kind


def send_requests(address: str, requests: int, seed: int) -> dict[str, Counter[str]]:
    """Send all requests in parallel; return how often each kind got each answer."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in REQUEST_KINDS}

    def choose_kinds() -> Iterator[tuple[str, int]]:
        rng = random.Random(seed)
        shares = [share for share, _ in REQUEST_KINDS.values()]
        for number in range(requests):
            yield rng.choices(list(REQUEST_KINDS), shares)[0], number

    def send_one(name_and_number: tuple[str, int]) -> tuple[str, Answer]:
        name, number = name_and_number
        return name, REQUEST_KINDS[name][1](address, random.Random(f"{seed} {number}"))

    with ThreadPoolExecutor(WORKERS) as threads:
        for name, answer in threads.map(send_one, choose_kinds()):
            counts[name][classify(answer)] += 1
            if classify(answer) not in GOOD_ANSWERS:
                print(f"{name}: {answer}"[:500], file=sys.stderr)
    return counts


def main() -> None:
    """Print the table; exit with an error if any answer was bad."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with serve_app() as address:
        counts = send_requests(address, arguments.requests, arguments.seed)
        is_ready = send(address, "GET", "/readyz").status == 200
    print(f"Seed {arguments.seed}; commit {current_commit()}; afterwards ready: {is_ready}\n")
    counts["all"] = sum(counts.values(), Counter())
    rows = [
        [name, found.total(), *(found[answer] for answer in ANSWER_KINDS)]
        for name, found in counts.items()
    ]
    print(table(("kind", "sent", *ANSWER_KINDS), rows))
    bad = sum(counts["all"][answer] for answer in ANSWER_KINDS[len(GOOD_ANSWERS) :])
    if bad or not is_ready:
        sys.exit(f"{bad} requests got an answer that nobody should get.")


if __name__ == "__main__":
    main()
