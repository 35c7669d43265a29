"""CPUs, threads and the garbage collector of a process."""

import atexit
import gc
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux shows a container its limits."""


def available_cpus(cgroup: Path = CGROUP) -> int:
    """Return how many CPUs this process may use, at least 1.

    Args:
        cgroup: folder with cpu.max (version 2: quota and period in microseconds, or "max"), or
            with cpu/cpu.cfs_quota_us and cpu/cpu.cfs_period_us (version 1: −1 is no limit).
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, math.ceil(min(allowed or 1, _quota(cgroup))))


def _quota(cgroup: Path) -> float:
    """Return the container's CPU quota in CPUs, or infinity."""
    version_1 = [cgroup / "cpu" / f"cpu.cfs_{name}_us" for name in ("quota", "period")]
    try:
        if (cgroup / "cpu.max").exists():
            quota, period = (cgroup / "cpu.max").read_text().split()
        else:
            quota, period = (path.read_text().strip() for path in version_1)
        return math.inf if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError):
        return math.inf


def launched_processes() -> int:
    """Return how many processes accelerate launch or torchrun started, this one included."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def limit_threads(cgroup: Path = CGROUP) -> None:
    """Set OMP_NUM_THREADS, unless it is set, to the CPUs of this process, before torch is imported.

    torch.set_num_threads would reach only the thread that calls it.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(available_cpus(cgroup)))


@contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Pause the garbage collector during imports, and exempt the imported objects for good.

    Collecting is a fifth of the time that imports take (docs/experiments.md).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # or libraries would report leaks
        if was_enabled:
            gc.enable()
