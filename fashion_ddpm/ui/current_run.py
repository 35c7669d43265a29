"""One drawing at a time for each visitor: pressing again, or Stop, ends the one before."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from fashion_ddpm.demo.engine import Watch
from fashion_ddpm.diffusion.sampling import DenoisingStep
from fashion_ddpm.server.monitoring import StoppedError
from fashion_ddpm.ui.components import MODEL, NOW, PLAIN, PRIVATE


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


def connect(
    start: gr.Button,
    stop: gr.Button,
    run: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    status: gr.Markdown,
) -> Any:
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

    Returns:
        The event that runs it.
    """
    current = gr.State(CurrentRun())
    number = gr.Number(visible=False)
    start.click(CurrentRun.ask, current, number, **NOW)
    running = start.click(
        run,
        [current, number, *inputs],
        [*outputs],
        trigger_mode="multiple",
        show_progress="minimal",
        show_progress_on=[status],
        **MODEL,
        **PLAIN,
        **PRIVATE,
    )
    stop.click(CurrentRun.stop, current, None, **NOW)
    return running
