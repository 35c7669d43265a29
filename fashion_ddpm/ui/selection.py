"""Which image is selected: the page and the server mean the same one, or the difference is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from fashion_ddpm.request import RequestError
from fashion_ddpm.results import Result
from fashion_ddpm.ui.parts import FORGOTTEN

MEANWHILE = "Another image was selected meanwhile; press again for that one."


class Selection:
    """What this server knows of a visitor's page; after a restart it knows nothing.

    Attributes:
        newest: key of the image whose way was sent last; "" before any was.
    """

    def __init__(self) -> None:
        self.newest = ""

    def take(self, result: Result, index: int) -> str:
        """Make an image the selected one; return its key, which the page sends back."""
        self.newest = key_of(result, index)
        return self.newest

    def index_of(self, result: Result | None, key: str) -> int | None:
        """Return the index of the image that the page has selected.

        Ask before an answer is made and again before it is sent, for it may come late.

        Args:
            result: the newest images that are kept here.
            key: what the page sent.

        Returns:
            None where another image was selected meanwhile, or where there is none.

        Raises:
            RequestError: the page shows images that are not kept here.
        """
        if self.newest not in ("", key) or not (result or key):
            return None
        check_kept(result, key)
        assert result is not None
        keys = [key_of(result, index) for index in range(result.request.num_images)]
        if key not in keys:
            raise RequestError(FORGOTTEN)
        return keys.index(key)


def key_of(result: Result, index: int) -> str:
    """Return what stands for one image: the query that draws its result, and its index."""
    return f"{result.settings.to_query()}#{index}"


def check_kept(result: Result | None, key: str) -> None:
    """Raise RequestError unless the images that the page shows are those that are kept here."""
    if result is None or str(key).rpartition("#")[0] != result.settings.to_query():
        raise RequestError(FORGOTTEN)


@dataclass(frozen=True)
class Selected:
    """What handlers are told of the selected image.

    Attributes:
        result: the newest images.
        selection: the visitor's Selection.
        key: of the image that the page shows as selected.
    """

    result: gr.State
    selection: gr.State
    key: gr.Textbox

    def __iter__(self) -> Iterator[Any]:
        return iter((self.result, self.selection, self.key))


def selected(first: Result | None) -> Selected:
    """Add the components to the page; the first image of `first` is selected."""
    key = key_of(first, 0) if first else ""
    return Selected(gr.State(first), gr.State(Selection()), gr.Textbox(key, visible="hidden"))
