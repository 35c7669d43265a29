"""Fixtures for all tests of the tabs."""

from collections.abc import Iterator

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import load_gallery
from fashion_ddpm.demo.results import Result


@pytest.fixture(scope="session")
def result(bundled_demo: Demo) -> Result:
    """The bundled gallery: one image of each class."""
    result = load_gallery(bundled_demo)
    assert result is not None
    return result


@pytest.fixture(scope="module")
def blocks() -> Iterator[gr.Blocks]:
    """A page to lay out tabs on."""
    with gr.Blocks() as page:
        yield page
