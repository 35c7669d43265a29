"""The page as gradio builds it, except that whatever fails there is told in a sentence."""

import inspect
import os
import re
from html import escape
from typing import Any

import gradio as gr
from gradio import processing_utils
from gradio.routes import templates
from jinja2 import ChoiceLoader, DictLoader

from fashion_ddpm.checkpoints.locate import SAMPLES_FILE
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT, ROOT
from fashion_ddpm.server.monitoring import NOT_YOUR_FAULT
from fashion_ddpm.ui.components import FORGOTTEN
from fashion_ddpm.ui.saving import save_whole

processing_utils.save_pil_to_cache = save_whole  # all components write their pictures with it

NO_ROOM = "The server has no room left for pictures; please try again in a few minutes."


TEMPLATE = "frontend/index.html"
_ABOUT = re.compile(r'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*/>')


def describe(title: str, description: str) -> None:
    """Say in the head of all pages what a chat shows of a link; gradio's own head is of gradio."""
    loader = templates.env.loader
    assert loader is not None
    source, *_ = loader.get_source(templates.env, TEMPLATE)
    about = {"og:title": title, "og:description": description, "og:type": "website"}
    if space := os.environ.get("SPACE_ID"):  # elsewhere a page does not know its public address
        picture = BUNDLED_CHECKPOINT.relative_to(ROOT) / SAMPLES_FILE
        address = f"https://huggingface.co/spaces/{space}/resolve/main"
        about["og:image"] = f"{address}/{picture.as_posix()}"
    head = "".join(
        f'<meta property="{name}" content="{escape(value)}" />' for name, value in about.items()
    )
    own = _ABOUT.sub("", source).replace("<head>", f"<head>{head}", 1)
    templates.env.loader = ChoiceLoader([DictLoader({TEMPLATE: own}), loader])


_CALL = inspect.signature(gr.Blocks.call_function)
"""Finds an argument of it however gradio passes it, by position or by name."""


class Page(gr.Blocks):
    """Blocks whose inputs and outputs fail readably; handlers do so themselves, with `told`."""

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        """Reads what was sent; whatever the components cannot read is the visitor's mistake."""
        try:
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except Exception as error:
            labels = [str(block.label) for block in block_fn.inputs if getattr(block, "label", "")]
            raise gr.Error(
                f"One of the inputs ({', '.join(labels)}) cannot be read: it must be what the page "
                "itself would send; reload the page and try again.",
                print_exception=False,
            ) from error

    async def call_function(self, *given: Any, **named: Any) -> Any:
        """Calls a handler; a click on a picture whose file is gone is told without its path."""
        event = _CALL.bind(self, *given, **named).arguments.get("event_data")
        try:
            processing_utils.check_all_files_in_cache(event._data if event else {})
        except gr.Error as error:
            raise gr.Error(FORGOTTEN, print_exception=False) from error
        return await super().call_function(*given, **named)

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Writes pictures to files, for which there may be no room."""
        try:
            return await super().postprocess_data(block_fn, predictions, state)
        except Exception as error:
            if isinstance(error, OSError) or isinstance(error.__cause__, OSError):
                raise gr.Error(NO_ROOM, print_exception=False) from error
            raise gr.Error(NOT_YOUR_FAULT) from error
