"""Sharing in the Create tab: link, settings in pictures, zip file, Python call."""

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from fashion_ddpm.core.config import TURBO
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.requests import API_PARAMETERS, GenerateRequest, RequestError
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
    RAW_INPUTS,
    SERIAL_QUEUE,
    SHOW_AND_GENERATE,
    error_message,
    report_errors,
)
from fashion_ddpm.ui.controls import NO_SETTINGS, Controls, control_values
from fashion_ddpm.ui.page import BUILD_LINK
from fashion_ddpm.ui.session import SelectedImage, Selection

GENERATE_IF_ASKED = """(asked) => {
  if (asked) document.querySelector("#generate").click();
}"""
"""JavaScript: a wrong link draws nothing, and so stays in the address bar to be corrected."""


EXAMPLES = {
    "A bag in 4 steps": GenerateRequest("bag", num_inference_steps=4),
    "Turbo: a sneaker in 1 step": GenerateRequest("sneaker", 8, "cosine", TURBO, 1),
    "Boots with the student's schedule": GenerateRequest("ankle boot", schedule="report"),
    "The same boots with cosine": GenerateRequest("ankle boot", schedule="cosine"),
    "Guidance 7: less variety": GenerateRequest("dress", guidance_scale=7.0),
    "ddpm needs more steps": GenerateRequest("coat", 8, "cosine", "ddpm"),
}
"""Name of a link to try → what it generates."""


class Handlers:
    """Event handlers of links and pictures.

    Attributes:
        demo: the loaded model.
        has_images: whether the page opens with images.
    """

    def __init__(self, demo: Demo, has_images: bool = True) -> None:
        self.demo, self.has_images = demo, has_images
        self.class_names = demo.kind.class_names

    def open(self, request: gr.Request) -> tuple[Any, ...]:
        """Return the settings in the page's address, and "asked" if images must be generated.

        That is with a link, and where the page would open without images. If a link is wrong, warn
        and return no settings.
        """
        try:
            words = collect_words(request.query_params.multi_items())
            if settings := parse_query(words, self.class_names):
                return *self._control_values(settings, "link"), "asked"
            return *NO_SETTINGS, "" if self.has_images else "asked"
        except UserError as error:
            gr.Warning(f"The link could not be read. {error_message(error)}")
        return *NO_SETTINGS, ""

    def _control_values(self, settings: SharedSettings, origin: str) -> tuple[Any, ...]:
        """Return settings as values of Controls.inputs; warn if other weights drew their images.

        Raises:
            UserError: the page cannot draw or score them.
        """
        self.demo.check(settings.request)
        if settings.scorer:
            self.demo.check_scorer(settings.scorer)
        # Links of earlier versions name the base network, also for images of the distilled one.
        models = (self.demo.model_for(settings.request), self.demo.model)
        if not any(model.startswith(settings.model) for model in models):
            gr.Info(
                f"This {origin} was made with a different model version, so its images will differ."
            )
        return control_values(settings.request, settings.scorer)

    @staticmethod
    def image_query(selection: Selection, query: str, index: Any) -> str:
        """Return the settings of the selected image alone as a query, or ""."""
        image = None
        with suppress(RequestError):  # the server was restarted since it drew the images
            image = selection.image(query, index)
        if image is None:
            return ""
        settings = image[0].settings
        request = settings.request.select_image(image[1])
        return dataclasses.replace(settings, request=request).to_query()

    @staticmethod
    def export_result(selection: Selection) -> tuple[Any, ...]:
        """Return the zip file, written into gradio's cache, and the Python call for the images."""
        result = selection.result
        if result is None:
            return gr.skip(), gr.skip()
        name = file_name(f"{result.request.class_name}-{result.request.seed}", ending=".zip")
        path = save_bytes_to_cache(result.archive(), name, get_upload_folder())
        return gr.update(value=path, interactive=True), python_call(result)

    def read(self, path: str | None) -> tuple[Any, ...]:
        """Return the settings in a picture, and None, which empties the file component."""
        if path is None:
            return (*NO_SETTINGS, gr.skip())
        with report_errors():
            settings = parse_picture(Path(path), self.class_names)
            values = self._control_values(settings, "picture")
        name = settings.request.class_name.translate(NO_MARKUP)
        gr.Info(f"Settings of {name}, seed {settings.request.seed}, restored.")
        return (*values, None)


def python_call(result: Result) -> str:
    """Return the call of gradio's Python client that draws the same images."""
    values = result.request.as_settings() | {"scorer": result.scorer}
    arguments = (f"{API_PARAMETERS[name]}={value!r}" for name, value in values.items())
    return f'client.predict({", ".join(arguments)}, api_name="/{ENDPOINT}")'


def example_links(demo: Demo) -> str:
    """Return links to try as Markdown; "" for other networks than those of Fashion-MNIST."""
    if not demo.kind.is_fashion_mnist:
        return ""
    links = [
        f"[{name}]({SharedSettings(request).to_query()})"
        for name, request in EXAMPLES.items()
        if request.sampler != TURBO or demo.has_turbo
    ]
    return f"**Links to try:** {' · '.join(links)}"


def build(demo: Demo, page: gr.Blocks, controls: Controls, selected: SelectedImage) -> None:
    """Lay out the components, and read the address when the page is opened."""
    selection = selected.selection
    first = selection.value.result
    handlers = Handlers(demo, has_images=first is not None)
    archived, call = handlers.export_result(selection.value) if first else ({"value": None}, "")
    with gr.Accordion("Share", open=False):
        gr.Markdown(
            "The link holds every setting: whoever opens it gets the same images. Every saved "
            "image carries its settings, too: drop one here to restore them."
        )
        link, image_link = (
            gr.Textbox(label=label, interactive=False, buttons=["copy"], elem_id=elem_id)
            for label, elem_id in (
                ("Link to all images", "link"),
                ("Link to the selected image alone", "image-link"),
            )
        )
        dropped = gr.File(
            label="Restore settings from an image",
            file_types=[".png"],
            height=150,
            elem_id="restore",
        )
        archive = gr.DownloadButton(
            "Download all images with settings and scores (zip)",
            value=archived["value"],
            interactive=first is not None,
            size="md",
        )
        gr.Markdown(
            "Generate the same images from code. *Use via API*, at the end of the page, says what "
            "`client` is and has calls in other languages."
        )
        # Without a language: gradio's colours of Python are too pale in light mode.
        program = gr.Code(call, language=None, label="Python", lines=1, wrap_lines=True)
    asked = gr.Textbox(visible=False)
    query = handlers.image_query(*(each.value for each in selected.inputs()))
    image_query = gr.Textbox(query, visible="hidden")
    changes = [selected.query.change, selected.index.change]
    gr.on(changes, handlers.image_query, selected.inputs(), image_query, **NO_QUEUE, **ALWAYS_LAST)
    for event in (page.load, image_query.change):
        event(None, image_query, image_link, js=BUILD_LINK, **NO_QUEUE)
    gr.on([page.load, selected.query.change], None, selected.query, link, js=BUILD_LINK, **NO_QUEUE)
    selected.query.change(
        handlers.export_result, selection, [archive, program], **NO_QUEUE, **ALWAYS_LAST
    )
    read = dropped.upload(
        handlers.read, dropped, [*controls.inputs(), dropped], **SERIAL_QUEUE, **ALWAYS_LAST
    )
    read.success(None, None, None, js=SHOW_AND_GENERATE, **NO_QUEUE)
    read.failure(lambda: None, None, dropped, **NO_QUEUE, **ALWAYS_LAST)
    # Queued, because gradio shows warnings of queued events only.
    outputs = [*controls.inputs(), asked]
    opened = page.load(handlers.open, None, outputs, show_progress="hidden", **NO_API)
    opened.then(None, asked, None, js=GENERATE_IF_ASKED, **NO_QUEUE)
    gr.on(page.load, *controls.note_update, **NO_QUEUE, **RAW_INPUTS, **ALWAYS_LAST)
