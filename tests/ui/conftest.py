"""What all tests of the tabs share."""

from collections.abc import Iterator

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import load_gallery
from fashion_ddpm.demo.results import Result


@pytest.fixture(scope="session")
def result(bundled: Demo) -> Result:
    """The bundled gallery: one image of each class."""
    found = load_gallery(bundled)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def blocks() -> Iterator[gr.Blocks]:
    """A page that tabs can be laid out on."""
    with gr.Blocks() as page:
        yield page
