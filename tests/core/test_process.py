"""Tests of the CPUs, threads, imports and garbage collector of a process."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fashion_ddpm.core.process import available_cpus, limit_threads, pause_garbage_collection
from tests.tools import TIMEOUT_S
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
def sixteen_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 16 CPUs."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)


@pytest.mark.usefixtures("sixteen_cpus")
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
def test_available_cpus_respect_the_containers_quota(
    tmp_path: Path, files: dict[str, str], cpus: int
) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    assert available_cpus(tmp_path) == cpus


def test_where_the_system_knows_no_affinity_all_cpus_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows and macOS."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert available_cpus(tmp_path) == 7


def test_omp_num_threads_from_the_environment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    limit_threads(tmp_path)
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_torch_starts_no_more_threads_than_the_container_has_cpus(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    result = run(PROGRAM, str(tmp_path))
    assert result.stdout.split() == ["1", "1"], result.stderr


LAZY_MODULES = {"matplotlib", "torch_fidelity", "openvino", "datasets", "tensorboard"}
"""Modules that are imported only when they are used."""

SET_BY_TESTS = ("HF_HUB_OFFLINE", "GRADIO_ANALYTICS_ENABLED", "OMP_NUM_THREADS")

IMPORT_APP = """
import sys, fashion_ddpm.ui.app
from diffusers import ModelMixin
from transformers import PreTrainedModel
assert not [
    module for module in __import__("gc").get_objects()
    if type(module) is not type and isinstance(module, (ModelMixin, PreTrainedModel))
]
print(*{name.split(".")[0] for name in sys.modules})
"""

SERVE_OFFLINE = """
import sys, threading, urllib.request

def guard(event, arguments):
    if event == "socket.getaddrinfo" or event == "socket.connect":
        host = arguments[1][0] if event == "socket.connect" else arguments[0]
        if host not in ("127.0.0.1", "localhost", "0.0.0.0", "::1", None):
            print("asked for", host, file=sys.stderr, flush=True)

sys.addaudithook(guard)
from fashion_ddpm.ui import app
from fashion_ddpm.demo.engine import Demo

demo = Demo()
page = app.build_page(demo)
page.queue(api_open=False)
_, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
app.use_faster_backend(demo, "auto")
assert b"Fashion DDPM" in urllib.request.urlopen(address).read()
page.close()
demo.unet.close()
print("served")
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program beside app.py, without the environment from tests/conftest.py."""
    environment = {name: value for name, value in os.environ.items() if name not in SET_BY_TESTS}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def test_the_collector_is_paused_and_enabled_afterwards() -> None:
    with pause_garbage_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_disabled_collector_stays_disabled() -> None:
    gc.disable()
    try:
        with pause_garbage_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_collector_is_enabled_after_a_failed_import() -> None:
    with pytest.raises(ImportError), pause_garbage_collection():
        import no_such_module  # type: ignore[import-not-found] # noqa: F401
    assert gc.isenabled()


@pytest.mark.slow
def test_importing_the_app_loads_no_weights_and_no_more_than_the_page_needs() -> None:
    result = run(IMPORT_APP)
    assert result.returncode == 0, result.stderr
    assert not LAZY_MODULES & set(result.stdout.split())


@pytest.mark.slow
def test_a_start_connects_to_no_other_machine() -> None:
    result = run(SERVE_OFFLINE)
    assert "served" in result.stdout, result.stderr
    assert "asked for" not in result.stderr
