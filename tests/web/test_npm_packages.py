"""Tests of the npm packages: pinned, without a registry's name, installed by the venv's npm."""

import json
import re
from pathlib import Path

import pytest

from fashion_ddpm.web.errors import WebError
from fashion_ddpm.web.npm_packages import (
    LOCK_FILE,
    PACKAGE_FILE,
    VENDOR_FILES,
    WEB,
    find_npm,
    install,
    vendor_folder,
)

PACKAGES = json.loads((WEB / PACKAGE_FILE).read_text())
LOCK = json.loads((WEB / LOCK_FILE).read_text())


def test_every_package_is_pinned_with_a_checksum() -> None:
    wanted = PACKAGES["dependencies"] | PACKAGES["devDependencies"]
    root, *installed = LOCK["packages"].values()
    assert root["dependencies"] | root["devDependencies"] == wanted
    for name, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert LOCK["packages"][f"node_modules/{name}"]["version"] == version
    assert all(each["integrity"].startswith("sha512-") for each in installed)


def test_the_lock_file_names_no_registry() -> None:
    assert "://" not in (WEB / LOCK_FILE).read_text()


def test_the_site_gets_what_it_needs_of_the_packages() -> None:
    folder = vendor_folder()
    for name in VENDOR_FILES.values():
        assert (folder / name).stat().st_size > 0
        if name.endswith("js"):
            assert b"sourceMappingURL" not in (folder / name).read_bytes()
    assert vendor_folder() == folder


def test_a_machine_without_npm_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert find_npm()
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WebError, match=r"fashion-ddpm\[web\]"):
        find_npm()


def test_packages_that_cannot_be_had_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    folder = tmp_path / "packages"
    folder.mkdir()
    with pytest.raises(WebError, match="could not be installed") as error:
        install(folder)
    assert "\n" not in str(error.value)
