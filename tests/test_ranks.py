"""Tests of how processes share a job; two real processes meet in test_evaluation."""

import pytest
import torch

from fashion_ddpm.ranks import Ranks, this_process


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_shares_of_all_ranks_are_the_whole_job_once(count: int) -> None:
    shares = [Ranks(rank, count, torch.device("cpu")).share(10) for rank in range(count)]
    assert sorted(place for share in shares for place in share) == list(range(10))


def test_alone_a_process_is_the_main_one_and_has_everything() -> None:
    ranks = this_process()
    assert ranks.is_main
    assert ranks.count == 1
    assert ranks.together("part") == ["part"]
