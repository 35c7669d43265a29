"""One run a folder: a lock that names its process and host, and does not outlive that process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import LeaseSettingsMismatch, SoftFileLease, Timeout

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.core.distributed import gather_parts, this_process
from fashion_ddpm.core.settings import ConfigError

LEASE_SECONDS = 60.0
"""A lock that nobody renewed for so long is of a process that died, on whatever host."""

RENEWAL_SECONDS = 5.0
"""Seconds between two renewals, and so the longest that a second run waits to be refused."""


class RunLock:
    """A folder's lock as the process has it that holds it.

    Args:
        lease: the lock; None on all processes of a run but the main one.
    """

    def __init__(self, lease: SoftFileLease | None) -> None:
        self.lease = lease

    def check(self) -> None:
        """Raise ConfigError when another run took the folder over while this one was suspended."""
        if self.lease and self.lease.compromise:
            raise ConfigError(
                f"{self.lease.lock_file} is no longer this run's: another one took the folder over "
                "while this one was suspended; what that one saves stays, this one ends."
            )


@contextmanager
def acquire_run_lock(lock: Path) -> Iterator[RunLock]:
    """Hold the lock of a folder, so that a second run in it is refused.

    It is a file that only one process can create, which works on network file systems too. The
    main process renews it while it lives. After a crash or kill -9 the next run on the same host
    knows by the process id that the lock is stale; on another host it waits LEASE_SECONDS.

    Args:
        lock: the file; it is deleted at the end.

    Raises:
        ConfigError: another run holds the lock.
        CheckpointError: the file cannot be written.
    """
    was_there = lock.parent.exists()
    lease = (
        SoftFileLease(lock, lease_duration=LEASE_SECONDS, heartbeat_interval=RENEWAL_SECONDS)
        if this_process().is_main_process
        else None
    )
    refusal = _acquire(lease, lock) if lease else ""
    # All processes of a run end together, with the same sentence.
    if refusals := "".join(gather_parts(refusal)):
        raise ConfigError(refusals)
    try:
        yield RunLock(lease)
    finally:
        if lease:
            lease.release()
            if not was_there:
                with suppress(OSError):  # something was written
                    lock.parent.rmdir()


def lock_path(folder: str | Path) -> Path:
    """Return the lock of a folder that is replaced when it is done: a file beside it."""
    return Path(f"{folder}.lock")


def _acquire(lease: SoftFileLease, lock: Path) -> str:
    """Acquire the lock; return why that is refused, or an empty text."""
    with atomic_folders.report_write_errors(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        owner, before = lease.owner, _renewed(lock)
        whose = f"process {owner.pid} on {owner.hostname}" if owner else "another process"
        if before is not None:
            print(f"{lock} is held by {whose}; waiting to see whether it lives", file=sys.stderr)
        try:
            lease.acquire(
                timeout=LEASE_SECONDS + RENEWAL_SECONDS,
                poll_interval=0.2,
                cancel_check=lambda: _renewed(lock) not in (before, None),
            )
        except (Timeout, LeaseSettingsMismatch):
            return (
                f"{lock.parent} is in use by {whose}: wait for that run to end, stop it, or name "
                f"another folder; if there is no such process, delete {lock}."
            )
        return ""


def _renewed(lock: Path) -> int | None:
    """Return when the lock was last renewed, or None where it is gone."""
    try:
        return lock.stat().st_mtime_ns
    except FileNotFoundError:
        return None
