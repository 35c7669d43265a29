"""Run a command of the program in this process."""

import contextlib
import io
import subprocess

import pytest

from fashion_ddpm import __main__


def run_here(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed; a new process would first import all libraries."""
    printed, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["fashion-ddpm", *arguments])
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
            status = __main__.main()
    return subprocess.CompletedProcess(arguments, status, printed.getvalue(), errors.getvalue())
