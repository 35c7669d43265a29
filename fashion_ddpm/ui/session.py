"""A visitor's state on the server: the current run, the images, the selected image."""

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

NEXT_NUMBER = "(number) => number + 1"
"""JavaScript: returns the number of a new run."""


class CurrentRun:
    """The numbers of a visitor's runs; only the run that began last goes on, until Stop.

    The page counts them: 1 is its first one.

    Attributes:
        last_begun: number of the newest run that has begun; a refused run never begins.
        last_stopped: Stop has ended all runs up to this number.
    """

    def __init__(self) -> None:
        self.last_begun = 0
        self.last_stopped = -1

    def stop(self, number: int) -> None:
        """End all runs up to a number: at their next step, or, if they wait, when they begin."""
        self.last_stopped = max(self.last_stopped, number)  # two may arrive in another order

    def check(self, number: int) -> None:
        """Raise StoppedError if a run was stopped or a newer one has begun."""
        if number <= self.last_stopped or number < self.last_begun:
            raise StoppedError("stopped")

    def was_stopped(self, number: int) -> bool:
        """Return whether Stop ended this run, and no newer one has begun."""
        return self.last_begun <= number <= self.last_stopped

    def make_wrapper(self, number: int, wrap_steps: StepWrapper) -> StepWrapper:
        """Return a wrapper that also raises StoppedError when this run must end."""

        def wrap(steps: Iterator[DenoisingStep]) -> Iterator[DenoisingStep]:
            self.last_begun = max(self.last_begun, number)  # ends earlier runs
            self.check(number)
            for step in wrap_steps(steps):
                yield step
                self.check(number)

        return wrap


def connect_run(
    start: gr.Button,
    stop: gr.Button,
    run: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    status: gr.Markdown,
) -> gr.events.Dependency:
    """Connect a button that starts a run, or replaces the current one, and one that stops it.

    Gradio's `cancels` shows "Error" beside the status in one of four stops, and its default trigger
    mode ignores a second press during a run.

    Args:
        start: the button that starts a run.
        stop: the button that stops it.
        run: takes the visitor's CurrentRun, the run's number and the inputs; yields the outputs.
        inputs: components.
        outputs: components.
        status: component that shows the position in the queue.

    Returns:
        The event that runs.
    """
    current = gr.State(CurrentRun())
    number = gr.Number(0, visible=False)
    start.click(None, number, number, js=NEXT_NUMBER, **NO_QUEUE)
    event = start.click(
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
    stop.click(CurrentRun.stop, [current, number], None, **NO_QUEUE)
    return event


class Selection:
    """The images, and the selected one, that the server last sent to a visitor's page.

    After a restart the server begins with the bundled images again, while the page may show others.

    Attributes:
        result: the images, if there are any.
        index: index of the selected image.
        has_changed: whether the visitor drew or selected anything since the server started.
    """

    def __init__(self, result: Result | None) -> None:
        self.result = result
        self.index = 0
        self.has_changed = False

    def select(self, result: Result, index: int) -> None:
        """Select an image."""
        self.result, self.index, self.has_changed = result, index, True

    def images(self, query: str) -> Result | None:
        """Return the images that the page shows.

        Args:
            query: the settings of the images, as the page sent them; "" where it shows none.

        Returns:
            None where the page shows no images, or other images are being sent to it.

        Raises:
            RequestError: the server was restarted since it drew them.
        """
        if self.result is not None and query == self.result.settings.to_query():
            return self.result
        if self.has_changed or not query:
            return None
        raise RequestError(IMAGES_GONE)

    def image(self, query: str, index: Any) -> tuple[Result, int] | None:
        """Return the images that the page shows and the index of the selected one.

        Slow handlers call it again before they answer.

        Returns:
            None where no image, or by now another one, is selected.

        Raises:
            RequestError: the server was restarted since it drew them.
        """
        result, index = self.images(query), as_int(index)
        if result is None or (self.has_changed and index != self.index):
            return None
        if index not in range(result.request.num_images):
            raise RequestError(IMAGES_GONE)
        return result, index


class SelectedImage:
    """Hidden components that tell a handler which image is selected.

    Args:
        first: the images that the page opens with; the first one is selected.

    Attributes:
        selection: the visitor's Selection.
        query: the settings of the images in view; changes only with new images.
        index: index of the selected image.
    """

    def __init__(self, first: Result | None) -> None:
        self.selection = gr.State(Selection(first))
        self.query = gr.Textbox(first.settings.to_query() if first else "", visible="hidden")
        self.index = gr.Number(0, visible="hidden")

    def inputs(self) -> list[Any]:
        """Return the Selection, and the arguments of its method `image`."""
        return [self.selection, self.query, self.index]
