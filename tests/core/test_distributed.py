"""Tests of multi-process runs in one process; test_bulk and test_launching start several."""

from types import SimpleNamespace
from typing import Any

import pytest

from fashion_ddpm.core.distributed import gather_parts, process_lines, this_process, uses_cpu
from fashion_ddpm.core.settings import ConfigError


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


@pytest.mark.parametrize("device", ["mps", "xpu:0", "gpu"])
def test_a_device_that_no_network_is_tested_on_is_refused(
    monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setenv("ACCELERATE_TORCH_DEVICE", device)
    with pytest.raises(ConfigError, match=f"ACCELERATE_TORCH_DEVICE is '{device}'.+cpu or cuda"):
        this_process()


def test_a_mac_computes_on_its_cpu_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert uses_cpu()
    assert any("MPS" in line for line in process_lines(this_process()))


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
