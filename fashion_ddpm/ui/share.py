"""Below the first tab: links, pictures and programs that hold the settings, and a zip file."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.requests import RequestError, shown
from fashion_ddpm.demo.api_examples import api_examples
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.share import SharedSettings, from_picture, from_query, words_of
from fashion_ddpm.generation.files import file_name
from fashion_ddpm.ui.components import (
    ALWAYS_LAST,
    NO_MARKUP,
    PRIVATE,
    QUEUED,
    SHOW_AND_GENERATE,
    UNQUEUED,
    as_text,
    show_mistakes,
)
from fashion_ddpm.ui.controls import NO_SETTINGS, Controls, shown_settings
from fashion_ddpm.ui.page import TO_LINK
from fashion_ddpm.ui.session import SelectedImage, Selection

GENERATE_IF_LINKED = """(linked) => {
  if (linked) document.querySelector("#generate").click();
}"""
"""A link with a mistake draws nothing, so it stays in the address bar, where it can be mended."""


LANGUAGES: tuple[Any, ...] = ("python", "javascript", "shell")


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
            asked = from_query(words_of(request.query_params.multi_items()), self.class_names)
            if asked is not None:
                return *self._shown(asked, "link"), "linked"
        except UserError as error:
            gr.Warning(f"The link could not be read. {as_text(error)}")
        return *NO_SETTINGS, ""

    def _shown(self, asked: SharedSettings, origin: str) -> tuple[Any, ...]:
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
        return shown_settings(asked.request, asked.scorer)

    @staticmethod
    def programs(selection: Selection, link: str) -> tuple[Any, ...]:
        """Return programs that ask the app at the link's address for the same images."""
        result = selection.result
        if result is None or not link:
            return (gr.skip(),) * len(LANGUAGES)
        with show_mistakes():
            if not isinstance(link, str) or not link.startswith(("http://", "https://")):
                raise RequestError(f"link is {shown(link)}; it must be the address of this page.")
        address = link.split("?")[0].rstrip("/")
        programs = api_examples(result.request, address, result.scorer)
        return tuple(programs[language] for language in LANGUAGES)

    @staticmethod
    def archive(selection: Selection) -> Any:
        """Put the zip file behind the button; it is in gradio's cache, which is cleaned up."""
        result = selection.result
        if result is None:
            return gr.skip()
        name = file_name(f"{result.request.class_name}-{result.request.seed}", ending=".zip")
        path = save_bytes_to_cache(result.archive(), name, get_upload_folder())
        return gr.update(value=path, interactive=True)

    def read(self, path: str | None) -> tuple[Any, ...]:
        """Take the settings out of a picture; the box is empty again for the next one."""
        if path is None:
            return (*NO_SETTINGS, gr.skip())
        with show_mistakes():
            asked = from_picture(Path(path), self.class_names)
            settings = self._shown(asked, "picture")
        # The name is the picture's own, and messages are shown as markup.
        name = asked.request.class_name.translate(NO_MARKUP)
        gr.Info(f"These are the settings of: {name}, seed {asked.request.seed}.")
        return (*settings, None)


def build(demo: Demo, page: gr.Blocks, controls: Controls, selected: SelectedImage) -> None:
    """Lay it out, and read the address when the page is opened."""
    handlers, selection = Handlers(demo), selected.selection
    first = selection.value.result
    with gr.Accordion("Share", open=False):
        gr.Markdown(
            "The link holds every setting: whoever opens it sees the same images. So does each "
            "picture: drop one here, and its settings come back."
        )
        link = gr.Textbox(label="Link", interactive=False, buttons=["copy"], elem_id="link")
        dropped = gr.File(label="A picture made here", file_types=[".png"], height=120)
        archive = gr.DownloadButton(
            "Download all as a zip, with settings and scores",
            value=handlers.archive(selection.value)["value"] if first else None,
            interactive=first is not None,
            size="md",
        )
        gr.Markdown("The same images for a program:")
        programs = [gr.Code(language=name, label=name, lines=4) for name in LANGUAGES]
    linked = gr.Textbox(visible=False)
    gr.on(
        [page.load, selected.query.change], None, selected.query, link, js=TO_LINK, **UNQUEUED
    ).then(handlers.programs, [selection, link], programs, **UNQUEUED, **ALWAYS_LAST)
    selected.query.change(handlers.archive, selection, archive, **UNQUEUED, **ALWAYS_LAST)
    read = dropped.upload(
        handlers.read, dropped, [*controls.inputs(), dropped], **QUEUED, **ALWAYS_LAST
    )
    read.success(None, None, None, js=SHOW_AND_GENERATE, **UNQUEUED)
    read.failure(lambda: None, None, dropped, **UNQUEUED, **ALWAYS_LAST)
    # Queued, because only then gradio shows the warnings.
    shown = [*controls.inputs(), linked]
    page.load(handlers.open, None, shown, show_progress="hidden", **PRIVATE).then(
        None, linked, None, js=GENERATE_IF_LINKED, **UNQUEUED
    )
