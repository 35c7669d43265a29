"""Tests of the provenance of results."""

import platform
import subprocess
from pathlib import Path

import pytest
import torch

from fashion_ddpm.core import provenance
from fashion_ddpm.core.provenance import current_commit, device_name, library_versions
from tests.tools.threads import use_threads


def test_a_package_inside_another_repository_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = ("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--allow-empty", "-qm", "a")
    for words in (("init", "-q"), commit):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    installed = tmp_path / "site-packages"
    installed.mkdir()
    for root, is_commit in ((tmp_path, True), (installed, False)):
        monkeypatch.setattr(provenance, "ROOT", root)
        assert bool(current_commit.__wrapped__()) == is_commit


def test_a_library_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "LIBRARIES", ("torch", "no-such-library"))
    assert set(library_versions()) == {"python", "torch"}


def test_a_cpu_is_named_with_its_fastest_instructions_and_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features = {"cpu_name": "Ada 1", "avx2": True, "avx512_f": True, "amx_bf16": False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    with use_threads(1):
        assert device_name(torch.device("cpu")) == "Ada 1 with AVX-512, threads a process: 1"
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert device_name(torch.device("cpu")).startswith(f"{platform.machine()}, threads")
