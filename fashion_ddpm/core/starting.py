"""A process that starts sooner: no search for garbage while its modules are loaded."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Holds the garbage collector off, and has it leave alone for good what was made meanwhile.

    Imports make a million objects that stay, and looking through them again and again is a fifth
    of the time that they take (docs/experiments.md).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # or libraries would report everything as leaked
        if was_enabled:
            gc.enable()
