"""Dynamic batching: a worker fills each UNet call with rows of all waiting requests."""

import bisect
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.sampling import CPU_CHUNK

MAX_WAIT_SECONDS = 0.004
"""How long a call that is not full waits for the requests of the previous call, which return with
their next step: a call with one row costs as much as one with eight."""

ACCELERATOR_ROWS = 64
"""Largest batch of a call on an accelerator, where smaller ones need no padding."""


def max_rows_on(device: torch.device) -> int:
    """Return the largest batch of a call on a device."""
    return CPU_CHUNK if device.type == "cpu" else ACCELERATOR_ROWS


@dataclass(eq=False)
class _Request:
    """The rows that one caller waits for.

    Attributes:
        inputs: x_t [B, C, S, S], timesteps [B], labels [B].
        own_predict: the predictor of a request that is not batched with others, else None.
        turn: requests are served in this order.
        answer: the output.
        outputs: the output so far.
    """

    inputs: tuple[Tensor, Tensor, Tensor]
    own_predict: Predictor | None
    turn: int = 0
    answer: Future[Tensor] = field(default_factory=Future)
    outputs: list[Tensor] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.inputs[0])

    @property
    def rows_done(self) -> int:
        """Number of rows that have their output."""
        return sum(map(len, self.outputs))


_Part = tuple[_Request, slice]
"""Rows of a request, as one call takes them."""


class BatchingUNet:
    """A predictor for any number of threads, whose rows share the calls of one UNet.

    Images do not depend on the size of a call (CPU_CHUNK in diffusion/sampling.py). A request's
    turn comes after as many calls as it has rows: a single image overtakes a request for sixteen
    that came just before, but cannot delay it by more than sixteen calls.

    Args:
        predict: the network, as unet_predictor calls it; only the worker thread uses it.
        max_rows: largest batch of a call.
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
        return self._submit((x, timesteps, labels), None)

    def without_batching(self, predict: Predictor) -> Predictor:
        """Return a predictor that is queued like all requests but not batched with them."""
        return lambda x, timesteps, labels: self._submit((x, timesteps, labels), predict)

    def replace(self, predict: Predictor, max_rows: int) -> None:
        """Use another backend of the same network from the next call on."""
        with self._changed:
            self._predict, self._max_rows = predict, max_rows

    def close(self) -> None:
        """End the worker; waiting and later callers get a RuntimeError."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.join()

    def _submit(
        self, inputs: tuple[Tensor, Tensor, Tensor], own_predict: Predictor | None
    ) -> Tensor:
        request = _Request(inputs, own_predict)
        try:
            self._enqueue(request)
            return request.answer.result()
        finally:  # if the caller was interrupted, its rows are not needed
            self._withdraw(request)

    def _enqueue(self, request: _Request) -> None:
        with self._changed:
            if self._closed:
                raise RuntimeError("the batching UNet is closed")
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
            request.answer.set_exception(RuntimeError("the batching UNet was closed"))

    def _next_call(self) -> list[_Part]:
        """Wait for rows, then briefly for more; return an empty list after close()."""
        with self._changed:
            while not self._closed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                patience = self._answered + MAX_WAIT_SECONDS - time.monotonic()
                self._changed.wait_for(self._is_call_ready, patience)
                if self._waiting and not self._closed:
                    self._calls += 1
                    return self._take()
            return []

    def _is_call_ready(self) -> bool:
        """Return whether the next call is full, or no more rows are expected soon."""
        if self._closed or self._expected <= 0 or not self._waiting or self._waiting[0].own_predict:
            return True
        rows = [len(other) - other.rows_done for other in self._waiting if not other.own_predict]
        return sum(rows) >= self._max_rows

    def _take(self) -> list[_Part]:
        """Remove the next call's rows from the waiting requests."""
        first = self._waiting[0]
        if first.own_predict:
            self._waiting.remove(first)
            return [(first, slice(0, len(first)))]
        parts, free = [], self._max_rows
        for request in [other for other in self._waiting if not other.own_predict]:
            end = min(len(request), request.rows_done + free)
            parts.append((request, slice(request.rows_done, end)))
            free -= end - request.rows_done
            if end == len(request):
                self._waiting.remove(request)
            if not free:
                break
        return parts

    def _run(self, parts: list[_Part]) -> Tensor:
        predict = parts[0][0].own_predict or self._predict
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
        complete = [request for request, _ in parts if request.rows_done == len(request)]
        with self._changed:  # before any of them can return
            self._expected, self._answered = len(complete), time.monotonic()
        for request in complete:
            request.answer.set_result(torch.cat(request.outputs))
