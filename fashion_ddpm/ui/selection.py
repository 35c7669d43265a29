"""Which image is selected: the page and the server mean the same one, or the difference is told."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.demo.results import Result
from fashion_ddpm.ui.components import FORGOTTEN, whole

MEANWHILE = "Another image was selected meanwhile; press again for that one."


class Selection:
    """The images and the selected one that the server sent to a visitor's page last.

    A server that was restarted begins with the bundled images again, whatever the page shows.

    Attributes:
        result: the images, if there are any.
        index: of the selected one.
        used: whether the visitor drew or selected anything since the server started.
    """

    def __init__(self, result: Result | None) -> None:
        self.result = result
        self.index = 0
        self.used = False

    def select(self, result: Result, index: int) -> None:
        """Make an image the selected one."""
        self.result, self.index, self.used = result, index, True

    def images(self, query: str) -> Result | None:
        """Return the images that the page shows.

        Args:
            query: what draws them, as the page sent it; "" where it shows none.

        Returns:
            None where it shows none, or where others are on their way to it.

        Raises:
            RequestError: the page outlived the server that drew them.
        """
        if self.result is not None and query == self.result.settings.to_query():
            return self.result
        if self.used or not query:
            return None
        raise RequestError(FORGOTTEN)

    def image(self, query: str, index: Any) -> tuple[Result, int] | None:
        """Return the images that the page shows and the index of the selected one.

        Ask before an answer is made and, where that takes long, again before it is sent.

        Returns:
            None where there is none, or where another one was selected meanwhile.

        Raises:
            RequestError: the page outlived the server that drew them.
        """
        result, index = self.images(query), whole(index)
        if result is None or (self.used and index != self.index):
            return None
        if index not in range(result.request.num_images):
            raise RequestError(FORGOTTEN)
        return result, index


@dataclass(frozen=True)
class SelectedImage:
    """The hidden components that tell a handler which image is selected.

    Attributes:
        selection: the visitor's Selection.
        query: what draws the images in view; only a drawing writes it.
        index: of the selected one.
    """

    selection: gr.State
    query: gr.Textbox
    index: gr.Number

    def inputs(self) -> list[Any]:
        """Returns the components in the order of Selection.image, which comes first."""
        return [self.selection, self.query, self.index]


def build(first: Result | None) -> SelectedImage:
    """Adds the hidden components; image 0 of `first` is selected."""
    query = first.settings.to_query() if first else ""
    return SelectedImage(
        gr.State(Selection(first)),
        gr.Textbox(query, visible="hidden"),
        gr.Number(0, visible="hidden"),
    )
