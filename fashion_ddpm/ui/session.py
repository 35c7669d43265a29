"""What the server remembers of a visitor: the run that may go on, the images, the selected one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from fashion_ddpm.core.requests import RequestError
from fashion_ddpm.demo.engine import StepWrapper
from fashion_ddpm.demo.results import Result
from fashion_ddpm.diffusion.sampling import DenoisingStep
from fashion_ddpm.server.monitoring import StoppedError
from fashion_ddpm.ui.components import (
    IMAGES_GONE,
    MODEL_QUEUE,
    NO_API,
    NO_QUEUE,
    RAW_INPUTS,
    as_int,
)

NO_IMAGE_YET = "Generate first."
SELECTION_CHANGED = "Another image was selected meanwhile; press again for that one."


class CurrentRun:
    """Knows which of a visitor's runs may go on: the one that began last, until Stop.

    Attributes:
        last_requested: how often the button was pressed: the number of the newest run.
        last_begun: number of the newest run that has begun; one that was refused never does.
        last_stopped: number up to which Stop has ended all runs.
    """

    def __init__(self) -> None:
        self.last_requested = self.last_begun = 0
        self.last_stopped = -1

    def add_run(self) -> int:
        """Return the number of a new run."""
        self.last_requested += 1
        return self.last_requested

    def stop(self) -> None:
        """End all runs asked for so far: at the next step, or where one that waits begins."""
        self.last_stopped = self.last_requested

    def check(self, number: int) -> None:
        """Raise StoppedError unless a run is the newest that has begun and was not stopped."""
        if number <= self.last_stopped or number < self.last_begun:
            raise StoppedError("stopped")

    def was_stopped(self, number: int) -> bool:
        """Return whether Stop ended this run, and no newer one was asked for."""
        return number == self.last_requested <= self.last_stopped

    def make_wrapper(self, number: int, wrap_steps: StepWrapper) -> StepWrapper:
        """Return a watch that also ends a run that must not go on."""

        def checked(steps: Iterator[DenoisingStep]) -> Iterator[DenoisingStep]:
            self.last_begun = max(self.last_begun, number)  # ends the runs before it
            self.check(number)
            for step in wrap_steps(steps):
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
    start.click(CurrentRun.add_run, current, number, **NO_QUEUE)
    start.click(
        run,
        [current, number, *inputs],
        [*outputs],
        trigger_mode="multiple",
        show_progress="minimal",
        show_progress_on=[status],
        **MODEL_QUEUE,
        **RAW_INPUTS,
        **NO_API,
    )
    stop.click(CurrentRun.stop, current, None, **NO_QUEUE)


class Selection:
    """The images and the selected one that the server sent to a visitor's page last.

    A server that was restarted begins with the bundled images again, whatever the page shows.

    Attributes:
        result: the images, if there are any.
        index: of the selected one.
        has_changed: whether the visitor drew or selected anything since the server started.
    """

    def __init__(self, result: Result | None) -> None:
        self.result = result
        self.index = 0
        self.has_changed = False

    def select(self, result: Result, index: int) -> None:
        """Make an image the selected one."""
        self.result, self.index, self.has_changed = result, index, True

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
        if self.has_changed or not query:
            return None
        raise RequestError(IMAGES_GONE)

    def image(self, query: str, index: Any) -> tuple[Result, int] | None:
        """Return the images that the page shows and the index of the selected one.

        Ask before an answer is made and, where that takes long, again before it is sent.

        Returns:
            None where there is none, or where another one was selected meanwhile.

        Raises:
            RequestError: the page outlived the server that drew them.
        """
        result, index = self.images(query), as_int(index)
        if result is None or (self.has_changed and index != self.index):
            return None
        if index not in range(result.request.num_images):
            raise RequestError(IMAGES_GONE)
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
