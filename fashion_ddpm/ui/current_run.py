"""One drawing at a time for each visitor: pressing again, or Stop, ends the one before."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from fashion_ddpm.demo import Watch
from fashion_ddpm.sampling import DenoisingStep
from fashion_ddpm.supervision import StoppedError
from fashion_ddpm.ui.parts import MODEL, NOW, PLAIN, PRIVATE


class CurrentRun:
    """Knows which of a visitor's runs may go on: the newest one, until Stop.

    Attributes:
        number: the newest run's, counted from 1.
        stopped: whether Stop was pressed since.
    """

    def __init__(self) -> None:
        self.number = 0
        self.stopped = False

    def begin(self) -> int:
        """Return the number of a new run, which ends all runs before it."""
        self.number += 1
        self.stopped = False
        return self.number

    def stop(self) -> None:
        """End the newest run at its next step; one that still waits ends where it begins."""
        self.stopped = True

    def check(self, number: int) -> None:
        """Raise StoppedError unless a run is the newest and was not stopped."""
        if self.stopped or number != self.number:
            raise StoppedError("stopped")

    def says_so(self, number: int) -> bool:
        """Return whether an ended run is the one that Stop ended, and so has to say it."""
        return self.stopped and number == self.number

    def watch(self, number: int, watch: Watch) -> Watch:
        """Return a watch that also ends a run that must not go on."""

        def checked(steps: Iterator[DenoisingStep]) -> Iterator[DenoisingStep]:
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
    start.click(CurrentRun.begin, current, number, **NOW)
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
