"""Tests of what several tabs share."""

import gradio as gr
import pytest

from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.ui.components import as_int, line_plot, picture, report_errors


def test_a_mistake_becomes_a_message_and_a_bug_another_that_is_logged() -> None:
    with pytest.raises(gr.Error, match="Steps is 0"), report_errors():
        raise RequestError("steps is 0")
    with pytest.raises(gr.Error, match="wrong on our side") as caught, report_errors():
        _ = 1 / 0
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.print_exception


def test_a_message_is_no_markup() -> None:
    with pytest.raises(gr.Error, match="‹img src=x›") as caught, report_errors():
        raise RequestError("<img src=x>")
    assert "<" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(20.0, 20), (2.5, 2.5), (7, 7), (True, True), ("20", "20"), (None, None)],
)
def test_only_whole_floats_become_whole_numbers(value: object, expected: object) -> None:
    assert as_int(value) == expected
    assert type(as_int(value)) is type(expected)


def test_pictures_are_lossless_and_described() -> None:
    component = picture("what it shows")
    assert component.format == "png"
    assert component.alt_text == "what it shows"


def test_a_plot_keeps_its_colours() -> None:
    plot = line_plot([(0.0, "one", 0.5)], ("x", "line", "y"), {"one": "#000"})
    assert plot.color_map == {"one": "#000"}
