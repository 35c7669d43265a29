"""Demos that all tests of the tabs share."""

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import load_gallery
from fashion_ddpm.demo.results import Result


@pytest.fixture(scope="session")
def demo(tiny_checkpoint: Path) -> Demo:
    """A demo of a small untrained network."""
    return Demo(tiny_checkpoint)


@pytest.fixture(scope="session")
def bundled() -> Demo:
    """A demo of the bundled network."""
    return Demo()


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
