"""Below the first tab: links, pictures and programs that hold the settings, and a zip file."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from fashion_ddpm.api_examples import api_examples
from fashion_ddpm.demo import Demo
from fashion_ddpm.errors import UserError
from fashion_ddpm.link import MODEL, from_picture, from_query, to_query
from fashion_ddpm.pipeline import weights_hash
from fashion_ddpm.request import RequestError, shown
from fashion_ddpm.results import Result
from fashion_ddpm.ui.address import TO_ADDRESS, TO_LINK
from fashion_ddpm.ui.controls import Controls, shown_settings
from fashion_ddpm.ui.parts import NO_MARKUP, NOW, PRIVATE, SHOW_AND_GENERATE, SOON, told

NOTHING = (gr.skip(),) * 8

GENERATE_IF_LINKED = """() => {
  if (new URLSearchParams(location.search).has("class"))
    document.querySelector("#generate").click();
}"""


LANGUAGES: tuple[Any, ...] = ("python", "javascript", "shell")


class Handlers:
    """What happens on the events of links and pictures."""

    def __init__(self, demo: Demo) -> None:
        self.weights = weights_hash(demo.pipeline)
        self.class_names = demo.kind.class_names

    def link(self, result: Result | None) -> str:
        """Returns the query string of the newest result."""
        return to_query(result.request, self.weights) if result else ""

    def open(self, request: gr.Request) -> tuple[Any, ...]:
        """Takes the settings out of the page's address; a mistake in it is told and left out."""
        query = dict(request.query_params)
        try:
            asked = from_query(query, self.class_names)
        except UserError as error:
            gr.Warning(f"The link could not be read: {error}")
            return NOTHING
        if asked is None:
            return NOTHING
        if not self.weights.startswith(query.get(MODEL, "")):
            gr.Info("The link was made with other weights: its images will differ.")
        return shown_settings(asked)

    @staticmethod
    def programs(result: Result | None, link: str) -> tuple[Any, ...]:
        """Returns programs that ask the app at the link's address for the same images."""
        if result is None or not link:
            return (gr.skip(),) * len(LANGUAGES)
        with told():
            if not isinstance(link, str) or not link.startswith(("http://", "https://")):
                raise RequestError(f"link is {shown(link)}; it must be the address of this page.")
        address = link.split("?")[0].rstrip("/")
        programs = api_examples(result.request, address, result.scorer)
        return tuple(programs[language] for language in LANGUAGES)

    @staticmethod
    def archive(result: Result | None, cache: str) -> Any:
        """Writes the zip file into gradio's cache, which is cleaned up; returns its path."""
        if result is None:
            return gr.skip()
        name = f"{result.request.class_name.replace(' ', '-')}-{result.request.seed}.zip"
        return save_bytes_to_cache(result.archive(), name, cache)

    def read(self, path: str | None) -> tuple[Any, ...]:
        """Takes the settings out of a picture; the box is empty again for the next one."""
        if path is None:
            return (*NOTHING, gr.skip())
        with told():
            asked = from_picture(Path(path), self.class_names)
        # The name is the picture's own, and messages are shown as markup.
        name = asked.class_name.translate(NO_MARKUP)
        gr.Info(f"These are the settings of: {name}, seed {asked.seed}.")
        return (*shown_settings(asked), None)


def build(demo: Demo, page: gr.Blocks, controls: Controls, result: gr.State) -> None:
    """Lays it out, and reads the address when the page is opened."""
    handlers, first = Handlers(demo), result.value
    with gr.Accordion("Share", open=False):
        gr.Markdown(
            "The link holds every setting: whoever opens it sees the same images. So does each "
            "picture: drop one here, and its settings come back."
        )
        link = gr.Textbox(label="Link", interactive=False, buttons=["copy"], elem_id="link")
        dropped = gr.File(label="A picture made here", file_types=[".png"], height=120)
        archive = gr.DownloadButton(
            "Download all as a zip, with settings and scores",
            value=handlers.archive(first, get_upload_folder()) if first else None,
            size="md",
        )
        gr.Markdown("The same images for a program:")
        programs = [gr.Code(language=name, label=name, lines=4) for name in LANGUAGES]
    query = gr.Textbox(handlers.link(first), visible=False)
    page.load(None, query, link, js=TO_LINK, **NOW).then(
        handlers.programs, [result, link], programs, **NOW
    )
    result.change(handlers.link, result, query, **NOW).then(
        None, query, link, js=TO_ADDRESS, **NOW
    ).then(handlers.programs, [result, link], programs, **NOW)
    result.change(
        lambda shown: handlers.archive(shown, archive.GRADIO_CACHE), result, archive, **NOW
    )
    read = dropped.upload(handlers.read, dropped, [*controls.settings(), dropped], **SOON)
    read.success(None, None, None, js=SHOW_AND_GENERATE, **NOW)
    read.failure(lambda: None, None, dropped, **NOW)
    # Queued, because only then gradio shows the warnings.
    page.load(handlers.open, None, controls.settings(), show_progress="hidden", **PRIVATE).then(
        None, None, None, js=GENERATE_IF_LINKED, **NOW
    )
