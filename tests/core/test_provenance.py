"""Tests of the provenance of results."""

import subprocess
from pathlib import Path

import pytest

from fashion_ddpm.core import provenance
from fashion_ddpm.core.provenance import current_commit, library_versions


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
