"""Tests of how the pictures of a data set are named in messages."""

import pytest

from fashion_ddpm.data.listing import NAMED, shortened


@pytest.mark.parametrize("count", [1, NAMED, NAMED + 1, 1000])
def test_a_message_names_no_more_than_a_few_pictures(count: int) -> None:
    names = [f"{index}.png" for index in range(count)]
    text = shortened(names)
    assert text.split(", ")[:NAMED] == names[:NAMED]
    assert text.endswith("…") == (count > NAMED)
