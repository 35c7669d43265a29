"""What a process may use and how it starts: CPUs, threads, the garbage collector."""

import atexit
import gc
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux tells a container its limits."""

UNLIMITED = 1_000_000


def available_cpus(cgroup: Path = CGROUP) -> int:
    """Return how many CPUs this process may keep busy, at least 1.

    Args:
        cgroup: folder with cpu.max (version 2: quota and period in microseconds, or "max"), or
            with cpu/cpu.cfs_quota_us and cpu/cpu.cfs_period_us (version 1: −1 is no limit).
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(allowed or 1, math.ceil(_quota(cgroup))))


def _quota(cgroup: Path) -> float:
    """Return how many CPUs' time the container gets, or UNLIMITED."""
    version_1 = [cgroup / "cpu" / f"cpu.cfs_{name}_us" for name in ("quota", "period")]
    try:
        if (cgroup / "cpu.max").exists():
            quota, period = (cgroup / "cpu.max").read_text().split()
        else:
            quota, period = (path.read_text().strip() for path in version_1)
        return UNLIMITED if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError):
        return UNLIMITED


def limit_threads(cgroup: Path = CGROUP) -> None:
    """Have torch, which must not be loaded yet, start one thread for each CPU of this process.

    More would wait for each other in turn. Only the environment reaches every thread that calls
    torch: torch.set_num_threads speaks for its own. What OMP_NUM_THREADS already asks for stays.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(available_cpus(cgroup)))


@contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Hold the garbage collector off, and have it leave alone for good what was made meanwhile.

    Imports make a million objects that stay, and looking through them again and again is a fifth
    of the time that they take (docs/experiments.md).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # or libraries would report everything as leaked
        if was_enabled:
            gc.enable()
