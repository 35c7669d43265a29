"""Tests that the static site reads and writes the links of the Gradio page."""

import random
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from fashion_ddpm.core.config import SAMPLERS, SCHEDULES, TURBO
from fashion_ddpm.core.image_kind import ALL_CLASSES, CLASS_NAMES
from fashion_ddpm.core.requests import SETTINGS, GenerateRequest, RequestError
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.share import FIELD_NAMES, SharedSettings, collect_words, parse_query
from tests.tools.node import run_node

SCRIPT = Path(__file__).with_name("maths.mjs")

NUMBERS = """
0 1 8 16 17 100 101 -1 -0 007 +5 5.0 1_0 1__0 1e3 1e-7 0.00001 0.1 .5 5. 2.5 1e400 1.5e300
nan -inf Infinity 4294967295 4294967296 4294967288 9007199254740993
"""
WORDS = """
abc None True dpm++2m DDIM turbo cosine report karras all ALL BAG t-shirt
<b>a</b> [x](y)*_`& it's say-"a" it's-"a" a\\b é
"""
LONG = ["9" * 29, "9" * 31, "🧥" * 50, "x" * 38, "x" * 39]
BLANKS = ["", " ", " 5 ", "dpm  2m", " Bag ", "ankle boot", "a\n\t\0", "\u200b\xa0\u2028"]
TEXTS = [*NUMBERS.split(), *WORDS.split(), *LONG, *BLANKS]
"""Values of links, right and wrong, for any setting."""

GOOD_TEXTS = {
    "class_name": [*CLASS_NAMES, ALL_CLASSES, "3", "DRESS"],
    "num_images": ["1", "8", "16"],
    "schedule": [*SCHEDULES],
    "sampler": [*SAMPLERS, TURBO],
    "num_inference_steps": ["1", "20", "100"],
    "guidance_scale": ["1", "1.0", "2.5", "10"],
    "guidance_low": ["0", "0.25"],
    "guidance_high": ["1", "0.5"],
    "seed": ["0", "7", "4294967280"],
}
"""Field of a request → values that are allowed, alone at least."""

MISSPELT = ["clas", "sede", "step", "stpes", "guidance-scale", "num_image", "modle", "Seed", "𝕊eed"]
FOREIGN = ["utm_source", "__theme", "v", "view", "s", "logs", "clazz_of_2026", "𝕊𝕊𝕊d", ""]


def quote_by_hand(text: str, safe: str, encoding: str = "", errors: str = "") -> str:
    """Quote all but plus signs, which then mean spaces."""
    return quote(text, "+" + safe)


QUOTING: list[Any] = [quote, quote_plus, quote_by_hand]


def random_query(generator: random.Random) -> str:
    """Return a link's query, of which most have one wrong value, word or none."""
    pairs = []
    for field, good in GOOD_TEXTS.items():
        if generator.random() < 0.6 or (field == "class_name" and generator.random() < 0.9):
            word = generator.choice([word for word, name in FIELD_NAMES.items() if name == field])
            pairs.append((word, generator.choice(good)))
    for word in ("model", "scorer"):
        if generator.random() < 0.3:
            pairs.append((word, generator.choice(TEXTS)))
    if pairs and generator.random() < 0.6:
        index = generator.randrange(len(pairs))
        pairs[index] = (pairs[index][0], generator.choice(TEXTS))
    for chance, words in ((0.15, MISSPELT), (0.2, FOREIGN), (0.05, [*FIELD_NAMES])):
        if generator.random() < chance:
            pairs.append((generator.choice(words), "1"))
    generator.shuffle(pairs)
    return "?" + urlencode(pairs, quote_via=generator.choice(QUOTING))


def read_query(query: str, class_names: tuple[str, ...] = CLASS_NAMES) -> Any:
    """Return what Python reads in a query, as maths.mjs returns it."""
    try:
        words = collect_words(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
        settings = parse_query(words, class_names)
    except RequestError as error:
        return {"error": str(error)}
    if settings is None:
        return None
    request = settings.request.as_settings()
    return {"request": request, "model": settings.model, "scorer": settings.scorer}


def test_links_give_the_same_settings_or_the_same_sentence_as_in_python(site: Path) -> None:
    generator = random.Random(0)
    fixed = ["", "?", "class=bag", "?class=bag&&seed=3&", "?class=bag&seed=%zz&steps", "?a=%F0%9F"]
    every = [
        f"?{urlencode({'class': 'bag', word: text})}" for word in FIELD_NAMES for text in TEXTS
    ]
    queries = [*fixed, *every, *(random_query(generator) for _ in range(2000))]
    expected = [read_query(query) for query in queries]
    results = run_node(SCRIPT, site, "links", stdin={"queries": queries})
    for query, one, other in zip(queries, results, expected, strict=True):
        assert one == other, query
    read = [each for each in expected if each and "error" not in each]
    sentences = {each["error"] for each in expected if each and "error" in each}
    assert len(read) > 500
    assert len(sentences) > 300


def test_links_name_classes_that_are_numbers_or_have_accents(site: Path) -> None:
    for names in (("1", "0", "dix"), ("Café", "BÜRO", "straße"), ("only",)):
        texts = ["0", "1", "2", "5", "DIX", "café", "Cafe\u0301", "büro", "STRASSE", "all", "only"]
        queries = [f"?{urlencode({'class': text})}" for text in texts]
        stdin = {"queries": queries, "classNames": names}
        expected = [read_query(query, names) for query in queries]
        assert run_node(SCRIPT, site, "links", stdin=stdin) == expected


def test_a_link_to_a_sampler_without_its_network_says_so(site: Path) -> None:
    stdin = {"queries": ["?class=bag&sampler=turbo"], "samplers": ["ddim", "euler"]}
    [result] = run_node(SCRIPT, site, "links", stdin=stdin)
    assert result["error"].startswith("sampler is turbo")
    assert "ddim, euler" in result["error"]


def random_request(generator: random.Random) -> GenerateRequest:
    """Return an allowed request, with floats of any number of digits."""
    values: dict[str, Any] = {field: generator.choice(good) for field, good in GOOD_TEXTS.items()}
    low, high = sorted(generator.choice([0.0, 1.0, generator.random() ** 8]) for _ in range(2))
    scale = 1.0 if values["sampler"] == TURBO else generator.choice([1.0, 1 + 9 * low, 7.0])
    count, steps = int(values["num_images"]), int(values["num_inference_steps"])
    values |= {"num_images": count, "num_inference_steps": steps, "seed": int(values["seed"])}
    values |= {"guidance_scale": scale, "guidance_low": low, "guidance_high": high}
    return GenerateRequest(**values)


def test_links_are_written_as_by_python_byte_for_byte(
    site: Path, checkpoint_with_turbo: Path
) -> None:
    demo = Demo(checkpoint_with_turbo)
    generator = random.Random(1)
    requests = [random_request(generator) for _ in range(300)]
    scorers = [generator.choice(["", "embedded", "a/b c"]) for _ in requests]
    cases = [(each.as_settings(), scorer) for each, scorer in zip(requests, scorers, strict=True)]
    expected = [
        SharedSettings(request, demo.model_for(request), scorer)
        for request, scorer in zip(requests, scorers, strict=True)
    ]
    queries = run_node(SCRIPT, site, "queries", stdin=cases)
    assert queries == [shared.to_query() for shared in expected]
    for result, shared in zip(
        run_node(SCRIPT, site, "links", stdin={"queries": queries}), expected, strict=True
    ):
        request = GenerateRequest(**result["request"])
        assert SharedSettings(request, result["model"], result["scorer"]) == shared
    assert [*cases[0][0]] == [*SETTINGS]
    demo.close()
