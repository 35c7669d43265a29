"""Ctrl-C and SIGTERM become a wish that the loop can read between two steps."""

import signal
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal:
    """A context in which a signal sets `asked` instead of ending the process."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> "StopOnSignal":
        self._before = [signal.signal(number, self._note) for number in SIGNALS]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
