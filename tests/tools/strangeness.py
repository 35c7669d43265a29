"""Invalid values for requests: lists and hypothesis strategies."""

from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from fashion_ddpm.core.config import SAMPLERS, SCHEDULES
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.requests import SETTING_NAMES as LINK_WORDS
from fashion_ddpm.demo.share import OLD_WORDS

BAD_TYPES: list[Any] = [None, [], {}, [1], {"a": 1}, True]
INVALID_NUMBERS: list[Any] = [*BAD_TYPES, "", "5", "abc", -1, 1e308, -1e308, 2**63, 2**64, 10**100]
INVALID_WORDS: list[Any] = [
    *BAD_TYPES,
    *("", 0, 1.5, "x" * 10_000, "<img src=x onerror=alert(1)>", "../", "👢", "\u202eabc", "a\0b"),
]
INVALID_VALUES: dict[str, list[Any]] = {
    "class": [*INVALID_WORDS, "T-shirt/top", "hat", "10", "-1", "²", "１２", "bag;", "None"],
    "schedule": [*INVALID_WORDS, "Cosine", "cosine "],
    "steps": [*INVALID_NUMBERS, 2.5, 0, 101, 1001, 10**9],
    "sampler": [*INVALID_WORDS, "heun", "DDIM"],
    "guidance_scale": [*INVALID_NUMBERS, 0, 0.99, 10.001],
    "num_images": [*INVALID_NUMBERS, 2.5, 0, 17],
    "seed": [*INVALID_NUMBERS, 2**32, 0.5],
    "scorer": [*INVALID_WORDS, "openai/clip", "/etc/passwd"],
    "guidance_low": [*INVALID_NUMBERS, -0.01, 1.01],
    "guidance_high": [*INVALID_NUMBERS, -0.01, 1.01],
}
"""Field of a request → values that are invalid for it."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Any JSON value."""


def data_lists() -> st.SearchStrategy[list[Any]]:
    """Generate lists of values: valid ones, some with one or two replaced, or any."""
    fields: list[st.SearchStrategy[Any]] = [
        st.sampled_from([*CLASS_NAMES, "all", "3"]),
        st.sampled_from(SCHEDULES),
        st.just(1),
        st.sampled_from(SAMPLERS),
        st.floats(0, 11),
        st.just(1),
        st.integers(-1, 2**32),
        st.just("embedded"),
        st.floats(-1, 2),
        st.floats(-1, 2),
    ]
    near = st.tuples(*fields).map(list)

    @st.composite
    def broken(draw: st.DrawFn) -> list[Any]:
        data = draw(near)
        for index in draw(st.sets(st.integers(0, len(data) - 1), min_size=1, max_size=2)):
            data[index] = draw(JSON)
        return data

    return st.one_of(near, broken(), broken(), st.lists(JSON, max_size=10))


def queries() -> st.SearchStrategy[str]:
    """Generate query strings of a link's words, some of them twice, and of others."""
    words = st.sampled_from([*LINK_WORDS.values(), *OLD_WORDS, "model"])
    value = st.text(max_size=30) | st.sampled_from(CLASS_NAMES) | JSON.map(str)
    pairs = st.lists(st.tuples(words | st.text(max_size=8), value), max_size=9)
    return pairs.map(lambda found: urlencode(found, errors="replace"))
