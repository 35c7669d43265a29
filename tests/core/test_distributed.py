"""Tests of how processes share a job; two real processes meet in test_evaluation."""

import pytest
import torch

from fashion_ddpm.core.distributed import Ranks, this_process, uses_cpu


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_shares_of_all_ranks_are_the_whole_job_once(count: int) -> None:
    shares = [Ranks(rank, count, torch.device("cpu")).share(10) for rank in range(count)]
    assert sorted(place for share in shares for place in share) == list(range(10))


def test_alone_a_process_is_the_main_one_and_has_everything() -> None:
    ranks = this_process()
    assert ranks.is_main
    assert ranks.count == 1
    assert ranks.together("part") == ["part"]


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


ONE_PROCESS = Ranks(0, 1, torch.device("cpu"))


@pytest.mark.parametrize(
    ("ranks", "environment", "warned"),
    [
        (ONE_PROCESS, {}, False),
        (ONE_PROCESS, {"MASTER_ADDR": "127.0.0.1"}, True),
        (ONE_PROCESS, {"MASTER_ADDR": "127.0.0.1", "WORLD_SIZE": "1"}, False),
        (Ranks(0, 2, torch.device("cpu")), {"MASTER_ADDR": "127.0.0.1"}, False),
    ],
)
def test_one_process_where_several_were_announced_is_said(
    monkeypatch: pytest.MonkeyPatch, ranks: Ranks, environment: dict[str, str], warned: bool
) -> None:
    for name in ("MASTER_ADDR", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    count, *warning = ranks.lines()
    assert f"processes: {ranks.count}" in count
    assert bool(warning) == warned
