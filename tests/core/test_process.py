"""Tests of how many threads torch may start, with a container's limits in a folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fashion_ddpm.core.process import available_cpus, limit_threads
from tests.tools import PATIENCE
from tests.tools.serving import ROOT

PROGRAM = """
import os, sys
os.sched_getaffinity = lambda process: set(range(16))
from pathlib import Path
from fashion_ddpm.core.process import limit_threads
limit_threads(Path(sys.argv[1]))
import torch
print(os.environ["OMP_NUM_THREADS"], torch.get_num_threads())
"""


@pytest.fixture
def sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 16 CPUs."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)


@pytest.mark.usefixtures("sixteen")
@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "6400000 100000\n"}, 16),
        ({"cpu.max": "max 100000\n"}, 16),
        ({"cpu.max": "nonsense\n"}, 16),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 16),
        ({}, 16),
    ],
)
def test_a_containers_share_is_what_counts(
    tmp_path: Path, files: dict[str, str], cpus: int
) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    assert available_cpus(tmp_path) == cpus


def test_what_the_environment_asks_for_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    limit_threads(tmp_path)
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_torch_starts_no_more_threads_than_the_container_has_cpus(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout.split() == ["1", "1"], done.stderr
