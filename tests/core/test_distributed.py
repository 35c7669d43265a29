"""Tests of how processes share a job; two real processes meet in test_evaluation."""

from types import SimpleNamespace
from typing import Any

import pytest

from fashion_ddpm.core.distributed import gather_parts, process_lines, this_process, uses_cpu


def test_alone_a_process_is_the_main_one_and_has_everything() -> None:
    ranks = this_process()
    assert ranks.is_main_process
    assert ranks.num_processes == 1
    assert gather_parts("part") == ["part"]


@pytest.mark.parametrize(
    ("has_gpu", "told", "expected"),
    [(False, "false", True), (True, "false", False), (True, "true", True)],
)
def test_a_machine_with_a_gpu_uses_the_cpu_only_when_accelerate_is_told_to(
    monkeypatch: pytest.MonkeyPatch, has_gpu: bool, told: str, expected: bool
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: has_gpu)
    monkeypatch.setenv("ACCELERATE_USE_CPU", told)
    assert uses_cpu() == expected
    assert uses_cpu(only_cuda=False) == (told == "true")


@pytest.mark.parametrize(
    ("processes", "environment", "warned"),
    [
        (1, {}, False),
        (1, {"MASTER_ADDR": "127.0.0.1"}, True),
        (1, {"MASTER_ADDR": "127.0.0.1", "WORLD_SIZE": "1"}, False),
        (2, {"MASTER_ADDR": "127.0.0.1"}, False),
    ],
)
def test_one_process_where_several_were_announced_is_said(
    monkeypatch: pytest.MonkeyPatch, processes: int, environment: dict[str, str], warned: bool
) -> None:
    for name in ("MASTER_ADDR", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ranks: Any = SimpleNamespace(num_processes=processes, device="cpu")
    count, *warning = process_lines(ranks)
    assert f"processes: {processes}" in count
    assert bool(warning) == warned
