"""Tests of multi-process runs in one process; test_bulk and test_launching start several."""

from types import SimpleNamespace
from typing import Any

import pytest

from fashion_ddpm.core.distributed import gather_parts, process_lines, this_process, uses_cpu


def test_a_single_process_is_the_main_one_and_gathers_its_own_part() -> None:
    state = this_process()
    assert state.is_main_process
    assert state.num_processes == 1
    assert gather_parts("part") == ["part"]


@pytest.mark.parametrize(
    ("has_gpu", "flag", "expected"),
    [(False, "false", True), (True, "false", False), (True, "true", True)],
)
def test_a_machine_with_a_gpu_uses_the_cpu_only_on_request(
    monkeypatch: pytest.MonkeyPatch, has_gpu: bool, flag: str, expected: bool
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: has_gpu)
    monkeypatch.setenv("ACCELERATE_USE_CPU", flag)
    assert uses_cpu() == expected
    assert uses_cpu(only_cuda=False) == (flag == "true")


@pytest.mark.parametrize(
    ("processes", "environment", "warned"),
    [
        (1, {}, False),
        (1, {"MASTER_ADDR": "127.0.0.1"}, True),
        (1, {"MASTER_ADDR": "127.0.0.1", "WORLD_SIZE": "1"}, False),
        (2, {"MASTER_ADDR": "127.0.0.1"}, False),
    ],
)
def test_one_process_instead_of_several_causes_a_warning(
    monkeypatch: pytest.MonkeyPatch, processes: int, environment: dict[str, str], warned: bool
) -> None:
    for name in ("MASTER_ADDR", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    state: Any = SimpleNamespace(num_processes=processes, device="cpu")
    count, *warning = process_lines(state)
    assert f"processes: {processes}" in count
    assert bool(warning) == warned
