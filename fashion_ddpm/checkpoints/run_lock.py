"""A lock file for one run per folder, which does not outlive its process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import LeaseSettingsMismatch, SoftFileLease, Timeout

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.core.distributed import gather_parts, this_process
from fashion_ddpm.core.settings import ConfigError

LEASE_SECONDS = 60.0
"""A lock that was not renewed for this time belongs to a dead process, on any host."""

RENEWAL_SECONDS = 5.0
"""Seconds between two renewals, and so the longest that a second run waits before an error."""


class RunLock:
    """The held lock of a folder.

    Args:
        lease: the lock; None on all processes but the main one.
    """

    def __init__(self, lease: SoftFileLease | None) -> None:
        self.lease = lease

    def check(self) -> None:
        """Raise ConfigError if another run took over the folder while this one was suspended."""
        if self.lease and self.lease.compromise:
            raise ConfigError(
                f"{self.lease.lock_file} is no longer this run's: another one took the folder over "
                "while this one was suspended; what that one saves stays, this one ends."
            )


@contextmanager
def acquire_run_lock(lock: Path) -> Iterator[RunLock]:
    """Hold the lock of a folder, so that a second run in it fails.

    The lock is an exclusively created file, which works on network file systems too. The main
    process renews it. After a crash or kill -9, a run on the same host detects the stale lock by
    its process id; a run on another host waits LEASE_SECONDS.

    Args:
        lock: the lock file; it is deleted at the end.

    Raises:
        ConfigError: another run holds the lock.
        CheckpointError: the file cannot be written.
    """
    folder_existed = lock.parent.exists()
    lease = (
        SoftFileLease(lock, lease_duration=LEASE_SECONDS, heartbeat_interval=RENEWAL_SECONDS)
        if this_process().is_main_process
        else None
    )
    # All processes raise the main process's error, so that all end.
    if error := "".join(gather_parts(_acquire(lease, lock) if lease else "")):
        raise ConfigError(error)
    try:
        yield RunLock(lease)
    finally:
        if lease:
            lease.release()
            if not folder_existed:
                with suppress(OSError):  # it is not empty
                    lock.parent.rmdir()


def lock_path(folder: str | Path) -> Path:
    """Return the path of the lock, beside it, of a folder that will be replaced."""
    return Path(f"{folder}.lock")


def _acquire(lease: SoftFileLease, lock: Path) -> str:
    """Acquire the lock; return an error message, or an empty text."""
    with atomic_folders.report_write_errors(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        owner, renewal = lease.owner, _last_renewal(lock)
        holder = f"process {owner.pid} on {owner.hostname}" if owner else "another process"
        if renewal is not None:
            print(f"{lock} is held by {holder}; waiting to see whether it lives", file=sys.stderr)
        try:
            lease.acquire(
                timeout=LEASE_SECONDS + RENEWAL_SECONDS,
                poll_interval=0.2,
                cancel_check=lambda: _last_renewal(lock) not in (renewal, None),
            )
        except (Timeout, LeaseSettingsMismatch):
            return (
                f"{lock.parent} is in use by {holder}: wait for that run to end, stop it, or name "
                f"another folder; if there is no such process, delete {lock}."
            )
        return ""


def _last_renewal(lock: Path) -> int | None:
    """Return the lock's time of modification, or None if there is no lock."""
    try:
        return lock.stat().st_mtime_ns
    except FileNotFoundError:
        return None
