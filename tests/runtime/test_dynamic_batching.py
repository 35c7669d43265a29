"""Tests of the shared UNet: exact for everyone, fair, and each one's troubles are its own."""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle

import pytest
import torch
from torch import Tensor

from fashion_ddpm.core.config import SAMPLERS, SCHEDULES
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.sampling import CPU_CHUNK, SamplingSettings
from fashion_ddpm.runtime import dynamic_batching
from fashion_ddpm.runtime.backends import Backend, faster_backend
from fashion_ddpm.runtime.dynamic_batching import BatchingUNet
from tests.tools import TIMEOUT_S

UNLUCKY = 13


class Gate:
    """A network that notes the labels of each call and answers x + label, when it is let.

    Labels tell requests apart here. A call with the label UNLUCKY fails.
    """

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.began, self.may_end = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        """Answer as a Predictor."""
        self.calls.append(labels.tolist())
        self.began.release()
        self.may_end.acquire()
        if (labels == UNLUCKY).any():
            raise ArithmeticError("unlucky")
        return x + labels.view(-1, 1, 1, 1)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool


@pytest.fixture
def gate(threads: ThreadPoolExecutor) -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.may_end.release(1_000)


def rows(count: int, label: int) -> tuple[Tensor, Tensor, Tensor]:
    x = torch.arange(float(count)).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)
    return x, torch.zeros(count), torch.full((count,), label)


def waits_until(shared: BatchingUNet, number: int) -> None:
    """Return when so many requests wait."""
    with shared._changed:
        assert shared._changed.wait_for(lambda: len(shared._waiting) == number, timeout=TIMEOUT_S)


class Visitors:
    """Asks in threads; each request waits, or is in a call, before the next one comes."""

    def __init__(self, threads: ThreadPoolExecutor, gate: Gate, rows: int = CPU_CHUNK) -> None:
        self.threads, self.gate, self.shared = threads, gate, BatchingUNet(gate, rows)

    def occupy(self) -> "Future[Tensor]":
        """Keep the worker in a call with one row, of label 0."""
        future = self.threads.submit(self.shared, *rows(1, 0))
        assert self.gate.began.acquire(timeout=TIMEOUT_S)
        return future

    def ask(self, count: int, label: int, predict: Predictor | None = None) -> "Future[Tensor]":
        """Ask while the worker is busy."""
        before = len(self.shared._waiting)
        future = self.threads.submit(predict or self.shared, *rows(count, label))
        waits_until(self.shared, before + 1)
        return future

    def go(self) -> None:
        """Let this call and all later ones end."""
        self.gate.may_end.release(1_000)


@pytest.fixture
def visitors(threads: ThreadPoolExecutor, gate: Gate) -> Iterator[Visitors]:
    visitors = Visitors(threads, gate)
    yield visitors
    visitors.go()
    visitors.shared.close()


def many_requests() -> list[GenerateRequest]:
    """Return requests that differ in everything."""
    names, schedules, samplers = cycle(CLASS_NAMES), cycle(SCHEDULES), cycle(SAMPLERS)
    return [
        GenerateRequest(
            next(names),
            num_images=count,
            schedule=next(schedules),
            sampler=next(samplers),
            num_inference_steps=steps,
            guidance_scale=scale,
            seed=100 * count,
        )
        for count, steps, scale in zip(
            (1, 1, 1, 2, 3, 5, 8, 9, 1, 1, 4),
            (4, 7, 3, 5, 4, 6, 2, 3, 5, 4, 3),
            (1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0, 1.0, 4.0, 1.0, 1.0),
            strict=True,
        )
    ]


def drawn(pipeline: FashionDDPMPipeline, request: GenerateRequest) -> Tensor:
    """Return the predicted clean images of all steps."""
    steps = pipeline.stream(
        request.labels(), request.seeds(), SamplingSettings.from_request(request)
    )
    return torch.stack([step.clean for step in steps])


@pytest.mark.parametrize("larger", [False, True])
def test_everyone_gets_to_the_last_bit_what_they_get_alone(
    threads: ThreadPoolExecutor, larger: bool
) -> None:
    pipeline, requests, sizes = load_pipeline(BUNDLED_CHECKPOINT), many_requests(), []
    usual = Backend(pipeline.predict, CPU_CHUNK, "PyTorch")
    backend = faster_backend(pipeline.unet, "eager") if larger else usual
    if backend is None:
        pytest.skip("this machine rounds larger calls otherwise")
    pipeline.unet.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    alone = [drawn(pipeline, request) for request in requests]
    calls = len(sizes)
    pipeline.predict = shared = BatchingUNet(backend.predict, backend.rows)
    together = list(threads.map(lambda request: drawn(pipeline, request), requests))
    shared.close()
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(together, alone, strict=True))
    assert set(sizes) <= set(range(CPU_CHUNK, backend.rows + 1, CPU_CHUNK))
    assert len(sizes) - calls < calls


def test_one_image_goes_before_sixteen_that_came_earlier(visitors: Visitors) -> None:
    visitors.occupy()
    many, one = visitors.ask(16, 1), visitors.ask(1, 2)
    visitors.go()
    assert torch.equal(one.result(60), rows(1, 2)[0] + 2)
    assert torch.equal(many.result(60), rows(16, 1)[0] + 1)
    assert visitors.gate.calls == [[0], [2] + [1] * 7, [1] * 8, [1]]


def test_sixteen_images_are_not_held_up_for_ever(threads: ThreadPoolExecutor, gate: Gate) -> None:
    visitors = Visitors(threads, gate, rows=1)
    asked = [visitors.occupy(), visitors.ask(4, 1)]
    for _ in range(8):
        asked.append(visitors.ask(1, 2))
        gate.may_end.release()
        assert gate.began.acquire(timeout=TIMEOUT_S)
    visitors.go()
    assert all(future.result(60) is not None for future in asked)
    assert gate.calls[:8] == [[0], [2], [2], [2], [1], [1], [1], [1]]
    visitors.shared.close()


@pytest.fixture
def endless_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for company in vain hangs."""
    monkeypatch.setattr(dynamic_batching, "MAX_WAIT_SECONDS", 3600)


@pytest.mark.usefixtures("endless_patience")
def test_those_who_step_together_stay_together(visitors: Visitors) -> None:
    first = visitors.occupy()
    asked = [visitors.ask(1, label) for label in (1, 2)]
    visitors.go()
    first.result(60)
    asked.append(visitors.threads.submit(visitors.shared, *rows(1, 0)))
    for _ in range(3):
        for future in asked:
            future.result(60)
        asked = [visitors.threads.submit(visitors.shared, *rows(1, label)) for label in range(3)]
    for future in asked:
        future.result(60)
    assert [sorted(call) for call in visitors.gate.calls] == [[0], *[[0, 1, 2]] * 4]


@pytest.mark.usefixtures("endless_patience")
def test_nobody_waits_for_company_alone_or_with_a_full_call(visitors: Visitors) -> None:
    visitors.go()
    for _ in range(3):
        visitors.threads.submit(visitors.shared, *rows(1, 0)).result(60)
    crowd = [visitors.threads.submit(visitors.shared, *rows(CPU_CHUNK, label)) for label in (1, 2)]
    assert all(future.result(60) is not None for future in crowd)


def test_a_failure_reaches_those_in_the_call_and_nobody_else(visitors: Visitors) -> None:
    visitors.occupy()
    unlucky, neighbour = visitors.ask(5, UNLUCKY), visitors.ask(7, 1)
    lucky = visitors.ask(CPU_CHUNK, 2)
    visitors.go()
    for future in (unlucky, neighbour):
        with pytest.raises(ArithmeticError, match="unlucky"):
            future.result(60)
    assert torch.equal(lucky.result(60), rows(CPU_CHUNK, 2)[0] + 2)
    # The neighbour's other rows are not computed for nothing.
    assert visitors.gate.calls == [[0], [UNLUCKY] * 5 + [1] * 3, [2] * CPU_CHUNK]


def test_who_is_interrupted_takes_its_rows_along(visitors: Visitors) -> None:
    given_up = threading.Event()

    def give_up(number: int, frame: object) -> None:
        if not given_up.is_set():
            given_up.set()
            raise InterruptedError("enough")

    def interrupt() -> None:
        waits_until(visitors.shared, 1)
        while not given_up.wait(0.01):  # a signal that comes just before a wait does not end it
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, give_up)
    try:
        visitors.occupy()
        interrupting = visitors.threads.submit(interrupt)
        with pytest.raises(InterruptedError, match="enough"):
            visitors.shared(*rows(3, 1))
        interrupting.result(TIMEOUT_S)
    finally:
        signal.signal(signal.SIGUSR1, before)
    other = visitors.ask(1, 2)
    visitors.go()
    other.result(60)
    assert visitors.gate.calls == [[0], [2]]


def test_a_request_that_must_be_alone_takes_its_turn_and_shares_no_call(visitors: Visitors) -> None:
    visitors.occupy()
    seen: list[int] = []

    def own(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        seen.extend(labels.tolist())
        return -x

    one, alone = visitors.ask(2, 1), visitors.ask(3, 2, visitors.shared.without_batching(own))
    other = visitors.ask(4, 3)
    visitors.go()
    assert torch.equal(alone.result(60), -rows(3, 2)[0])
    assert one.result(60) is not None
    assert other.result(60) is not None
    assert seen == [2] * 3
    assert visitors.gate.calls == [[0], [1] * 2 + [3] * 4]


def test_a_visitor_who_leaves_between_two_steps_leaves_nothing_behind(
    tiny_pipeline: FashionDDPMPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = BatchingUNet(tiny_pipeline.predict)
    monkeypatch.setattr(tiny_pipeline, "predict", shared)
    leaving, staying = (
        tiny_pipeline.stream([label] * 3, range(3), SamplingSettings(num_inference_steps=4))
        for label in (1, 2)
    )
    next(leaving), next(staying)
    leaving.close()  # type: ignore[attr-defined]
    assert len(list(staying)) == 3
    assert not shared._waiting
    shared.close()


def test_closing_ends_the_thread_and_tells_whoever_waits(visitors: Visitors) -> None:
    served, waiting = visitors.occupy(), visitors.ask(1, 1)
    closing = visitors.threads.submit(visitors.shared.close)
    with visitors.shared._changed:
        assert visitors.shared._changed.wait_for(lambda: visitors.shared._closed, timeout=TIMEOUT_S)
    visitors.go()
    closing.result(60)
    assert served.result(60) is not None
    with pytest.raises(RuntimeError, match="closed"):
        waiting.result(60)
    with pytest.raises(RuntimeError, match="closed"):
        visitors.shared(*rows(1, 2))
    assert not visitors.shared._worker.is_alive()
