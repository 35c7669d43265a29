"""Tests that only one run at a time uses a folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fashion_ddpm.checkpoints import run_lock
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.run_lock import acquire_run_lock, lock_path
from fashion_ddpm.core.settings import ConfigError

HOLDER = """
import sys, time
from pathlib import Path
from fashion_ddpm.checkpoints.run_lock import acquire_run_lock
with acquire_run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock in a folder that does not exist."""
    return tmp_path / "run" / "run.lock"


def start_holder(lock: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock until it is killed."""
    command = [sys.executable, "-c", HOLDER, str(lock)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_lock_is_held_during_the_run(lock: Path) -> None:
    with acquire_run_lock(lock) as held_lock:
        held_lock.check()
        assert f"pid={os.getpid()}\n" in lock.read_text()
    assert not lock.parent.exists()


def test_a_failed_run_releases_its_lock(lock: Path) -> None:
    with pytest.raises(KeyError), acquire_run_lock(lock):
        raise KeyError
    with acquire_run_lock(lock):
        pass


def test_a_second_run_is_refused_until_the_first_is_killed(lock: Path) -> None:
    holder = start_holder(lock)
    try:
        error = pytest.raises(ConfigError, match=rf"process {holder.pid} on .+ delete {lock}")
        with error, acquire_run_lock(lock):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert lock.exists(), "nobody could clean up"
    with acquire_run_lock(lock):
        assert f"pid={os.getpid()}\n" in lock.read_text()


def write_lock_of_another_host(lock: Path) -> None:
    lock.parent.mkdir()
    with acquire_run_lock(lock):
        text = lock.read_text()
    (host,) = [line for line in text.splitlines() if line.startswith("host=")]
    lock.write_text(text.replace(host, "host=elsewhere"))


def test_a_stale_lock_of_another_host_is_taken_over(
    lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_lock, "LEASE_SECONDS", 0.5)
    monkeypatch.setattr(run_lock, "RENEWAL_SECONDS", 0.1)
    write_lock_of_another_host(lock)
    with acquire_run_lock(lock):
        assert f"pid={os.getpid()}\n" in lock.read_text()
    assert "on elsewhere; waiting" in capsys.readouterr().err


def test_a_renewed_lock_of_another_host_is_respected(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lock_of_another_host(lock)
    renewer = subprocess.Popen(
        ["sh", "-c", f"while sleep 0.2; do touch {lock}; done"], start_new_session=True
    )
    try:
        with pytest.raises(ConfigError, match="on elsewhere"), acquire_run_lock(lock):
            pass
    finally:
        os.killpg(renewer.pid, signal.SIGKILL)
        renewer.wait()
    assert "host=elsewhere" in lock.read_text()


def test_a_suspended_run_ends_after_a_takeover(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_lock, "RENEWAL_SECONDS", 0.05)
    with acquire_run_lock(lock) as held_lock:
        assert held_lock.lease is not None
        other = lock.with_name("other")
        other.write_text(lock.read_text().replace("token=", "token=0"))
        os.replace(other, lock)
        while not held_lock.lease.compromise:
            time.sleep(0.01)
        with pytest.raises(ConfigError, match="no longer this run's"):
            held_lock.check()
    assert lock.exists(), "the other's lock stays"


def test_a_lock_that_cannot_be_written_raises_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    lock = tmp_path / "file" / "run.lock"
    with pytest.raises(CheckpointError, match="could not be written"), acquire_run_lock(lock):
        pass


def test_the_lock_of_a_replaced_folder_is_beside_it(tmp_path: Path) -> None:
    assert lock_path(tmp_path / "scorer") == tmp_path / "scorer.lock"
