"""Tests of the request that the page, the API and the command line share."""

import dataclasses
from typing import Any

import pytest

from fashion_ddpm.core.image_kind import ALL_CLASSES
from fashion_ddpm.core.requests import (
    API_PARAMETERS,
    FLAGS,
    MAX_SEED,
    PAGE_LABELS,
    SETTING_NAMES,
    SETTINGS,
    GenerateRequest,
    RequestError,
    class_label,
    safe_repr,
    sampler_defaults,
)
from fashion_ddpm.demo.share import LINK_DEFAULTS


@pytest.mark.parametrize(
    ("class_name", "label"), [("trouser", 1), ("ANKLE BOOT", 9), ("0", 0), (" bag ", 8)]
)
def test_a_class_is_given_by_name_or_number(class_name: str, label: int) -> None:
    assert class_label(class_name) == label


def test_class_names_are_compared_in_unicode_normal_form() -> None:
    assert class_label("caf\u00e9", ("bar", "cafe\u0301")) == 1


def test_numbers_are_names_if_class_names_are_numbers() -> None:
    names = ("1", "2", "3")
    assert [class_label(name, names) for name in names] == [0, 1, 2]
    with pytest.raises(RequestError, match="is '0'; it must be one of 1, 2, 3, or all"):
        class_label("0", names)


def test_all_cycles_through_the_classes() -> None:
    request = GenerateRequest(class_name=ALL_CLASSES, num_images=12, seed=5)
    assert request.labels() == [*range(10), 0, 1]
    assert list(request.seeds()) == list(range(5, 17))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("class_name", "hat"),
        ("class_name", "10"),
        ("class_name", "²"),
        ("class_name", None),
        ("class_name", ["trouser"]),
        ("schedule", "Cosine"),
        ("schedule", {}),
        ("sampler", "heun"),
        ("num_images", 0),
        ("num_images", True),
        ("num_images", 2.5),
        ("num_inference_steps", 0),
        ("num_inference_steps", 1001),
        ("num_inference_steps", "20"),
        ("guidance_scale", 0.5),
        ("guidance_scale", float("nan")),
        ("guidance_scale", float("inf")),
        ("guidance_scale", None),
        ("guidance_low", -0.1),
        ("guidance_high", 1.1),
        ("seed", -1),
        ("seed", 2**32),
        ("seed", 1e300),
    ],
)
def test_a_bad_value_is_refused_with_the_allowed_ones(field: str, value: Any) -> None:
    with pytest.raises(RequestError, match=r" is .+; it must be "):
        GenerateRequest(**{"class_name": "bag", field: value})


def test_an_empty_guidance_interval_is_refused() -> None:
    with pytest.raises(RequestError, match="guidance_high"):
        GenerateRequest(class_name="bag", guidance_low=0.8, guidance_high=0.2)


def test_the_seed_of_the_last_image_must_be_in_range() -> None:
    GenerateRequest(class_name="bag", num_images=2, seed=MAX_SEED - 1)
    with pytest.raises(RequestError, match="seed"):
        GenerateRequest(class_name="bag", num_images=2, seed=MAX_SEED)


def test_a_message_is_short_and_holds_no_markup() -> None:
    with pytest.raises(RequestError) as caught:
        GenerateRequest(class_name="<script>" + "x" * 10_000)
    assert len(str(caught.value)) < 300
    assert "<" not in str(caught.value)


def test_select_image_gives_a_request_for_one_image() -> None:
    single = GenerateRequest("all", num_images=12, seed=5).select_image(11)
    assert (single.class_name, single.num_images, single.seed) == ("trouser", 1, 16)
    assert single.labels() == [1]


def test_turbo_takes_few_steps_of_its_own_schedule_and_no_guidance() -> None:
    assert sampler_defaults("turbo") == {"schedule": "cosine-midpoint", "num_inference_steps": 4}
    page = GenerateRequest("bag")
    for steps in (page.num_inference_steps, 20):
        given = {"schedule": page.schedule, "num_inference_steps": steps}
        assert sampler_defaults("ddim", steps) == given
    assert GenerateRequest("bag", sampler="turbo").guidance_scale == 1
    with pytest.raises(RequestError, match=r"guidance_scale is 2; the turbo sampler has none"):
        GenerateRequest("bag", sampler="turbo", guidance_scale=2.0)


def test_safe_repr_is_neither_html_nor_markdown() -> None:
    text = safe_repr("<b>[x](y) ![z](w) `c` *d* _e_ &lt;\u202e\0")
    assert not set("<>&[]`*_\u202e\0") & set(text)


def test_a_message_has_the_readers_name_of_the_setting() -> None:
    with pytest.raises(RequestError) as caught:
        GenerateRequest("bag", sampler="turbo", guidance_scale=3)
    texts = [caught.value.format_message(names) for names in (PAGE_LABELS, API_PARAMETERS, FLAGS)]
    for name, text in zip(("Guidance", "guidance_scale", "--guidance-scale"), texts, strict=True):
        assert text.startswith(f"{name} is 3; the turbo sampler has none")
    seed: Any = None
    with pytest.raises(RequestError) as caught:
        GenerateRequest("bag", seed=seed)
    assert caught.value.format_message(PAGE_LABELS).startswith("Seed is empty; it must be ")


def test_every_setting_has_a_name_everywhere() -> None:
    fields = {field.name for field in dataclasses.fields(GenerateRequest)} - {"class_names"}
    for names in (SETTINGS, LINK_DEFAULTS | {"class_name": ""}):
        assert {*names} == fields
    for names in (SETTING_NAMES, PAGE_LABELS, API_PARAMETERS, FLAGS):
        assert {*names} == fields | {"scorer"}
        assert len({*names.values()}) == len(names)
