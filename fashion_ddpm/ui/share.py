"""Below the first tab: a link, pictures and a call that hold the settings, and a zip file."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.requests import API_PARAMETERS
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.results import Result
from fashion_ddpm.demo.share import SharedSettings, collect_words, parse_picture, parse_query
from fashion_ddpm.generation.files import file_name
from fashion_ddpm.server.allowlist import ENDPOINT
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    NO_API,
    NO_MARKUP,
    NO_QUEUE,
    SERIAL_QUEUE,
    SHOW_AND_GENERATE,
    error_message,
    report_errors,
)
from fashion_ddpm.ui.controls import NO_SETTINGS, Controls, control_values
from fashion_ddpm.ui.page import BUILD_LINK
from fashion_ddpm.ui.session import SelectedImage, Selection

GENERATE_IF_LINKED = """(linked) => {
  if (linked) document.querySelector("#generate").click();
}"""
"""A link with a mistake draws nothing, so it stays in the address bar, where it can be mended."""


class Handlers:
    """What happens on the events of links and pictures."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.class_names = demo.kind.class_names

    def open(self, request: gr.Request) -> tuple[Any, ...]:
        """Take the settings out of the page's address, and say whether there were any.

        A mistake in it is told, and nothing is taken.
        """
        try:
            asked = parse_query(collect_words(request.query_params.multi_items()), self.class_names)
            if asked is not None:
                return *self._control_values(asked, "link"), "linked"
        except UserError as error:
            gr.Warning(f"The link could not be read. {error_message(error)}")
        return *NO_SETTINGS, ""

    def _control_values(self, asked: SharedSettings, origin: str) -> tuple[Any, ...]:
        """Return settings as the page shows them; say where it will draw something else.

        Raises:
            UserError: the page cannot draw or score what is asked for.
        """
        self.demo.check(asked.request)
        if asked.scorer:
            self.demo.check_scorer(asked.scorer)
        # Links of earlier versions name the network that was asked, also where turbo's drew.
        models = (self.demo.model_for(asked.request), self.demo.model)
        if not any(model.startswith(asked.model) for model in models):
            gr.Info(f"The {origin} was made with other weights: its images will differ.")
        return control_values(asked.request, asked.scorer)

    @staticmethod
    def export_result(selection: Selection) -> tuple[Any, ...]:
        """Return the zip file for its button, and the Python call that draws the same images.

        The file is in gradio's cache, which is cleaned up.
        """
        result = selection.result
        if result is None:
            return gr.skip(), gr.skip()
        name = file_name(f"{result.request.class_name}-{result.request.seed}", ending=".zip")
        path = save_bytes_to_cache(result.archive(), name, get_upload_folder())
        return gr.update(value=path, interactive=True), python_call(result)

    def read(self, path: str | None) -> tuple[Any, ...]:
        """Take the settings out of a picture; the box is empty again for the next one."""
        if path is None:
            return (*NO_SETTINGS, gr.skip())
        with report_errors():
            asked = parse_picture(Path(path), self.class_names)
            settings = self._control_values(asked, "picture")
        # The name is the picture's own, and messages are shown as markup.
        name = asked.request.class_name.translate(NO_MARKUP)
        gr.Info(f"These are the settings of: {name}, seed {asked.request.seed}.")
        return (*settings, None)


def python_call(result: Result) -> str:
    """Return the call of gradio's Python client that draws the same images."""
    values = result.request.as_settings() | {"scorer": result.scorer}
    arguments = (f"{API_PARAMETERS[name]}={value!r}" for name, value in values.items())
    return f'client.predict({", ".join(arguments)}, api_name="/{ENDPOINT}")'


def build(demo: Demo, page: gr.Blocks, controls: Controls, selected: SelectedImage) -> None:
    """Lay it out, and read the address when the page is opened."""
    handlers, selection = Handlers(demo), selected.selection
    first = selection.value.result
    archived, call = handlers.export_result(selection.value) if first else ({"value": None}, "")
    with gr.Accordion("Share", open=False):
        gr.Markdown(
            "The link holds every setting: whoever opens it sees the same images. So does each "
            "picture: drop one here, and its settings come back."
        )
        link = gr.Textbox(label="Link", interactive=False, buttons=["copy"], elem_id="link")
        dropped = gr.File(label="A picture made here", file_types=[".png"], height=120)
        archive = gr.DownloadButton(
            "Download all as a zip, with settings and scores",
            value=archived["value"],
            interactive=first is not None,
            size="md",
        )
        gr.Markdown(
            "A Python program draws the same images with this call. *Use via API*, below, says "
            "what `client` is, and has calls in other languages."
        )
        program = gr.Code(call, language="python", label="python", lines=1, wrap_lines=True)
    linked = gr.Textbox(visible=False)
    gr.on([page.load, selected.query.change], None, selected.query, link, js=BUILD_LINK, **NO_QUEUE)
    selected.query.change(
        handlers.export_result, selection, [archive, program], **NO_QUEUE, **ALWAYS_LAST
    )
    read = dropped.upload(
        handlers.read, dropped, [*controls.inputs(), dropped], **SERIAL_QUEUE, **ALWAYS_LAST
    )
    read.success(None, None, None, js=SHOW_AND_GENERATE, **NO_QUEUE)
    read.failure(lambda: None, None, dropped, **NO_QUEUE, **ALWAYS_LAST)
    # Queued, because only then gradio shows the warnings.
    shown = [*controls.inputs(), linked]
    page.load(handlers.open, None, shown, show_progress="hidden", **NO_API).then(
        None, linked, None, js=GENERATE_IF_LINKED, **NO_QUEUE
    )
