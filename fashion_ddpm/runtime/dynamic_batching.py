"""Dynamic batching: a worker fills each call of the UNet with rows of all requests that wait."""

import bisect
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.sampling import CPU_CHUNK

PATIENCE = 0.004
"""Seconds that a call with room left waits for the requests that the last call answered: each
comes back with its next step, and rows that go alone cost as much as eight."""

ACCELERATOR_ROWS = 64
"""Most rows of a call on an accelerator, where fewer need no padding."""


def rows_on(device: torch.device) -> int:
    """Return how many rows a call on a device has, at most."""
    return CPU_CHUNK if device.type == "cpu" else ACCELERATOR_ROWS


@dataclass(eq=False)
class _Request:
    """What one caller waits for.

    Attributes:
        inputs: x_t [B, 1, 28, 28], timesteps [B], labels [B].
        alone: the predictor of a request that shares no call, else None.
        turn: requests are served in this order.
        answer: the output, once it is there.
        outputs: the output so far.
    """

    inputs: tuple[Tensor, Tensor, Tensor]
    alone: Predictor | None
    turn: int = 0
    answer: Future[Tensor] = field(default_factory=Future)
    outputs: list[Tensor] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.inputs[0])

    @property
    def done(self) -> int:
        """Rows that are answered."""
        return sum(map(len, self.outputs))


_Part = tuple[_Request, slice]
"""Rows of a request, as one call takes them."""


class BatchingUNet:
    """A predictor for any number of threads, whose rows share the calls of one UNet.

    Calls are of sizes that nobody's images depend on (sampling.py), whoever their rows belong to.
    A request's turn comes after as many calls as it has rows: a single image goes before sixteen
    that came a little earlier, but cannot hold them up for longer than sixteen calls.

    Args:
        predict: the network, as in_chunks makes it; only the worker calls it.
        max_rows: most rows of a call.
    """

    def __init__(self, predict: Predictor, max_rows: int = CPU_CHUNK) -> None:
        self._predict, self._max_rows = predict, max_rows
        self._changed = threading.Condition()
        self._waiting: list[_Request] = []  # in the order of their turns
        self._calls = 0
        self._expected, self._answered = 0, 0.0  # how many, and when the last call ended
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="dynamic batching", daemon=True)
        self._worker.start()

    def __call__(self, x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        """Return the network's output; any exception in a call with these rows is raised here."""
        return self._ask((x, timesteps, labels), None)

    def alone(self, predict: Predictor) -> Predictor:
        """Return a predictor that takes its turn with the others but shares no call with them."""
        return lambda x, timesteps, labels: self._ask((x, timesteps, labels), predict)

    def replace(self, predict: Predictor, max_rows: int) -> None:
        """Make another backend of the same network answer from the next call on."""
        with self._changed:
            self._predict, self._max_rows = predict, max_rows

    def close(self) -> None:
        """End the worker; whoever waits, or asks later, gets a RuntimeError."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.join()

    def _ask(self, inputs: tuple[Tensor, Tensor, Tensor], alone: Predictor | None) -> Tensor:
        request = _Request(inputs, alone)
        try:
            self._queue(request)
            return request.answer.result()
        finally:  # an interrupted caller takes its rows along
            self._withdraw(request)

    def _queue(self, request: _Request) -> None:
        with self._changed:
            if self._closed:
                raise RuntimeError("the shared UNet is closed")
            request.turn = self._calls + len(request)
            bisect.insort(self._waiting, request, key=lambda other: other.turn)
            self._expected -= 1
            self._changed.notify_all()

    def _withdraw(self, request: _Request) -> None:
        with self._changed:
            if request in self._waiting:
                self._waiting.remove(request)

    @torch.no_grad()
    def _work(self) -> None:
        while parts := self._next_call():
            try:
                output = self._run(parts)
            except Exception as error:
                for request, _ in parts:
                    self._withdraw(request)
                    request.answer.set_exception(error)
            else:
                self._deliver(parts, output)
        for request in self._waiting.copy():
            request.answer.set_exception(RuntimeError("the shared UNet was closed"))

    def _next_call(self) -> list[_Part]:
        """Wait for rows, then a moment for company; return no rows when all is over."""
        with self._changed:
            while not self._closed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                patience = self._answered + PATIENCE - time.monotonic()
                self._changed.wait_for(self._needs_no_company, patience)
                if self._waiting and not self._closed:
                    self._calls += 1
                    return self._take()
            return []

    def _needs_no_company(self) -> bool:
        """Return whether the next call is full, or nobody is about to come back."""
        if self._closed or self._expected <= 0 or not self._waiting or self._waiting[0].alone:
            return True
        rows = [len(other) - other.done for other in self._waiting if not other.alone]
        return sum(rows) >= self._max_rows

    def _take(self) -> list[_Part]:
        """Take the next call's rows out of what waits."""
        first = self._waiting[0]
        if first.alone:
            self._waiting.remove(first)
            return [(first, slice(0, len(first)))]
        parts, free = [], self._max_rows
        for request in [other for other in self._waiting if not other.alone]:
            end = min(len(request), request.done + free)
            parts.append((request, slice(request.done, end)))
            free -= end - request.done
            if end == len(request):
                self._waiting.remove(request)
            if not free:
                break
        return parts

    def _run(self, parts: list[_Part]) -> Tensor:
        predict = parts[0][0].alone or self._predict
        columns = zip(*(request.inputs for request, _ in parts), strict=True)
        slices = [part for _, part in parts]
        x, timesteps, labels = (
            torch.cat([rows[part] for rows, part in zip(column, slices, strict=True)])
            for column in columns
        )
        return predict(x, timesteps, labels)

    def _deliver(self, parts: list[_Part], output: Tensor) -> None:
        sizes = [part.stop - part.start for _, part in parts]
        for (request, _), rows in zip(parts, output.split(sizes), strict=True):
            request.outputs.append(rows)
        whole = [request for request, _ in parts if request.done == len(request)]
        with self._changed:  # before anyone can ask again
            self._expected, self._answered = len(whole), time.monotonic()
        for request in whole:
            request.answer.set_result(torch.cat(request.outputs))
