"""What the server remembers of a visitor: the run that may go on, the images, the selected one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.demo.engine import Watch
from fashion_ddpm.demo.results import Result
from fashion_ddpm.diffusion.sampling import DenoisingStep
from fashion_ddpm.server.monitoring import StoppedError
from fashion_ddpm.ui.components import FORGOTTEN, NETWORK, PRIVATE, UNPROCESSED, UNQUEUED, whole

NONE_YET = "Generate first."
MEANWHILE = "Another image was selected meanwhile; press again for that one."


class CurrentRun:
    """Knows which of a visitor's runs may go on: the one that began last, until Stop.

    Attributes:
        asked: how often the button was pressed: the number of the newest run.
        begun: number of the newest run that has begun; one that was refused never does.
        stopped: number up to which Stop has ended all runs.
    """

    def __init__(self) -> None:
        self.asked = self.begun = 0
        self.stopped = -1

    def ask(self) -> int:
        """Return the number of a new run."""
        self.asked += 1
        return self.asked

    def stop(self) -> None:
        """End all runs asked for so far: at the next step, or where one that waits begins."""
        self.stopped = self.asked

    def check(self, number: int) -> None:
        """Raise StoppedError unless a run is the newest that has begun and was not stopped."""
        if number <= self.stopped or number < self.begun:
            raise StoppedError("stopped")

    def was_stopped(self, number: int) -> bool:
        """Return whether Stop ended this run, and no newer one was asked for."""
        return number == self.asked <= self.stopped

    def watch(self, number: int, watch: Watch) -> Watch:
        """Return a watch that also ends a run that must not go on."""

        def checked(steps: Iterator[DenoisingStep]) -> Iterator[DenoisingStep]:
            self.begun = max(self.begun, number)  # ends the runs before it
            self.check(number)
            for step in watch(steps):
                yield step
                self.check(number)

        return checked


def connect_run(
    start: gr.Button,
    stop: gr.Button,
    run: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    status: gr.Markdown,
) -> None:
    """Make a button run a generator, again when it is pressed again, and another one stop it.

    Gradio's own `cancels` would leave an "Error" beside the status in one of four stops, and a
    pressed button that runs already is ignored by it.

    Args:
        start: the button.
        stop: the other one.
        run: takes the visitor's CurrentRun, the run's number and the inputs; yields the outputs.
        inputs: components.
        outputs: components.
        status: where a queue's progress is shown.
    """
    current = gr.State(CurrentRun())
    number = gr.Number(visible=False)
    start.click(CurrentRun.ask, current, number, **UNQUEUED)
    start.click(
        run,
        [current, number, *inputs],
        [*outputs],
        trigger_mode="multiple",
        show_progress="minimal",
        show_progress_on=[status],
        **NETWORK,
        **UNPROCESSED,
        **PRIVATE,
    )
    stop.click(CurrentRun.stop, current, None, **UNQUEUED)


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


class SelectedImage:
    """The hidden components that tell a handler which image is selected.

    Args:
        first: the images in view at first; the first one is selected.

    Attributes:
        selection: the visitor's Selection.
        query: what draws the images in view; only a drawing writes it.
        index: of the selected one.
    """

    def __init__(self, first: Result | None) -> None:
        self.selection = gr.State(Selection(first))
        self.query = gr.Textbox(first.settings.to_query() if first else "", visible="hidden")
        self.index = gr.Number(0, visible="hidden")

    def inputs(self) -> list[Any]:
        """Return the components in the order of Selection.image, which comes first."""
        return [self.selection, self.query, self.index]
