"""Tests of what a process may use and how it starts: CPUs, threads, the garbage collector."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fashion_ddpm.core.process import available_cpus, limit_threads, pause_garbage_collection
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
    done = run(PROGRAM, str(tmp_path))
    assert done.stdout.split() == ["1", "1"], done.stderr


STAY_OUT = {"matplotlib", "torch_fidelity", "openvino", "datasets", "tensorboard"}
"""What the page does not need before somebody asks for it."""

SET_BY_TESTS = ("HF_HUB_OFFLINE", "GRADIO_ANALYTICS_ENABLED", "OMP_NUM_THREADS")

WATCHED = """
import sys, app
from diffusers import ModelMixin
from transformers import PreTrainedModel
assert not [
    module for module in __import__("gc").get_objects()
    if type(module) is not type and isinstance(module, (ModelMixin, PreTrainedModel))
]
print(*{name.split(".")[0] for name in sys.modules})
"""

GUARDED = """
import sys, threading, urllib.request

def guard(event, arguments):
    if event == "socket.getaddrinfo" or event == "socket.connect":
        host = arguments[1][0] if event == "socket.connect" else arguments[0]
        if host not in ("127.0.0.1", "localhost", "0.0.0.0", "::1", None):
            print("asked for", host, file=sys.stderr, flush=True)

sys.addaudithook(guard)
import app
from fashion_ddpm.demo.engine import Demo

demo = Demo()
page = app.build_page(demo)
page.queue(api_open=False)
_, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
app.quicken(demo, "auto")
assert b"Fashion DDPM" in urllib.request.urlopen(address).read()
page.close()
demo.unet.close()
print("served")
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program beside app.py, without what tests/conftest.py tells libraries."""
    environment = {name: value for name, value in os.environ.items() if name not in SET_BY_TESTS}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_nothing_is_collected_meanwhile_and_all_is_as_before_after() -> None:
    with pause_garbage_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with pause_garbage_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_collector_is_back_after_a_failed_import() -> None:
    with pytest.raises(ImportError), pause_garbage_collection():
        import no_such_module  # type: ignore[import-not-found] # noqa: F401
    assert gc.isenabled()


@pytest.mark.slow
def test_importing_the_app_loads_no_weights_and_no_more_than_the_page_needs() -> None:
    done = run(WATCHED)
    assert done.returncode == 0, done.stderr
    assert not STAY_OUT & set(done.stdout.split())


@pytest.mark.slow
def test_a_start_asks_no_other_machine() -> None:
    done = run(GUARDED)
    assert "served" in done.stdout, done.stderr
    assert "asked for" not in done.stderr
