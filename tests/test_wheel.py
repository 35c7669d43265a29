"""Tests of the wheel: what it holds, and that an installation of it needs no clone."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable
from email.parser import BytesParser
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import fashion_ddpm
from fashion_ddpm.checkpoints.manifest import find_faults
from fashion_ddpm.core.images import read_settings
from tests.tools import TIMEOUT_S
from tests.tools.asking import call, send
from tests.tools.serving import ROOT, run_app

pytestmark = pytest.mark.slow

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
INSTALLED_FILES = "fashion_ddpm/repository"
BUILD_SDIST = "from setuptools import build_meta; build_meta.build_sdist('dist')"


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, where it cannot import from this clone."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
    )


@pytest.fixture(scope="module")
def files() -> list[str]:
    """The files of this clone that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git clone")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, files: list[str]) -> Path:
    """A wheel, built from an sdist of these files."""
    source = tmp_path_factory.mktemp("source")
    for name in files:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    built = run(sys.executable, "-c", BUILD_SDIST, folder=source)
    assert built.returncode == 0, built.stderr
    (sdist,) = (source / "dist").glob("*.tar.gz")
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", "dist")
    built = run(sys.executable, "-m", "pip", "wheel", *options, sdist, folder=source)
    assert built.returncode == 0, built.stderr
    (path,) = (source / "dist").glob("*.whl")
    return path


def test_the_wheel_holds_the_package_and_the_checkpoints_and_no_tests(
    wheel: Path, files: list[str]
) -> None:
    expected = [name for name in files if name.startswith("fashion_ddpm/")]
    expected += [f"{INSTALLED_FILES}/{name}" for name in files if name.startswith("checkpoints/")]
    expected += [
        f"{INSTALLED_FILES}/docs/samplers.json",
        f"{INSTALLED_FILES}/docs/evaluation/report.json",
        "fashion_ddpm/py.typed",
    ]
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert not set(expected) - set(names)
    assert {name.split("/")[0] for name in names} == {
        "fashion_ddpm",
        f"fashion_ddpm-{fashion_ddpm.__version__}.dist-info",
    }
    assert not [name for name in names if {"tests", "benchmarks"} & set(name.split("/"))]


def test_the_wheel_has_the_packages_version_and_its_extras(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        fields = BytesParser().parsebytes(archive.read(name))
    assert fields["Version"] == fashion_ddpm.__version__
    assert set(fields.get_all("Provides-Extra", [])) == {
        *("app", "data", "dev", "evaluate", "mcp", "openvino", "train", "web")
    }


def install(wheel: Path, environment: Path, libraries: Path) -> Path:
    """Install the wheel into a new virtual environment that sees libraries; return its programs."""
    venv.create(environment)
    pip = (sys.executable, "-m", "pip", "--python", environment, "install", "--no-compile")
    done = run(*pip, "--no-deps", "--no-index", wheel, folder=environment)
    assert done.returncode == 0, done.stderr
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(str(libraries))
    return environment / "bin"


def link_distributions(requirements: Iterable[str], folder: Path) -> None:
    """Fill a folder with links to installed distributions: the required ones, and theirs."""
    folder.mkdir(parents=True)
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        for wanted in {"", *requirement.extras}:
            if (requirement.name, wanted) not in seen:
                seen.add((requirement.name, wanted))
                texts = metadata.requires(requirement.name) or []
                waiting += [(Requirement(text), wanted) for text in texts]
    for name, _ in seen:
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            if not (folder / top).is_symlink():
                (folder / top).symlink_to(Path(str(distribution.locate_file(top))))


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an installation without extras."""
    folder = tmp_path_factory.mktemp("base")
    link_distributions(PROJECT["dependencies"], folder / "libraries")
    return install(wheel, folder / "environment", folder / "libraries")


@pytest.fixture(scope="module")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an installation with all libraries of this one, in an awkward folder."""
    folder = tmp_path_factory.mktemp("Übung 1")
    libraries = Path(str(metadata.distribution("torch").locate_file("")))
    return install(wheel, folder / "environment", libraries)


def test_without_extras_it_generates_images(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "Übung 2"
    folder.mkdir()
    words = ("generate", "--num-images", "2", "--steps", "2", "--output", "boots.png")
    done = run(base / "fashion-ddpm", *words, folder=folder)
    assert done.returncode == 0, done.stderr
    assert read_settings(folder / "boots.png")["num_inference_steps"] == 2
    assert [path.name for path in folder.iterdir()] == ["boots.png"]


@pytest.mark.parametrize(
    ("command", "extra"), [("app", "app"), ("evaluate", "evaluate"), ("export-web", "web")]
)
def test_a_command_names_the_extra_that_it_needs(
    base: Path, tmp_path: Path, command: str, extra: str
) -> None:
    done = run(base / "fashion-ddpm", command, folder=tmp_path)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("fashion-ddpm: the package ")
    assert f'pip install "fashion-ddpm[{extra}]"' in sentence


def test_a_run_can_be_pushed_with_the_extra_that_trains(wheel: Path, tmp_path: Path) -> None:
    extras = PROJECT["optional-dependencies"]
    needed = [*PROJECT["dependencies"], *extras["evaluate"], *extras["train"]]
    others = [text for text in needed if not text.startswith("fashion-ddpm")]
    link_distributions(others, tmp_path / "libraries")
    programs = install(wheel, tmp_path / "environment", tmp_path / "libraries")
    imports = "import fashion_ddpm.training.loop, fashion_ddpm.publishing.push"
    done = run(programs / "python", "-c", imports, folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_command_for_files_of_the_repository_changes_no_installed_ones(
    base: Path, tmp_path: Path
) -> None:
    done = run(base / "fashion-ddpm", "gallery", folder=tmp_path)
    assert done.returncode == 1
    assert "run it in a clone" in done.stderr


def test_it_is_imported_from_where_it_is_installed(full: Path, tmp_path: Path) -> None:
    program = "import fashion_ddpm, sys; print(fashion_ddpm.__file__, fashion_ddpm.__version__)"
    done = run(full / "python", "-c", program, folder=tmp_path)
    path, version = done.stdout.rsplit(maxsplit=1)
    assert Path(path).is_relative_to(full.parent)
    assert version == fashion_ddpm.__version__
    (installed,) = full.parent.glob(f"lib/python*/site-packages/{INSTALLED_FILES}/checkpoints")
    assert not list(find_faults(installed))


@pytest.mark.parametrize(("command", "flag"), [("app", "--checkpoint"), ("train", "--preset")])
def test_its_help_lists_the_flags(full: Path, tmp_path: Path, command: str, flag: str) -> None:
    done = run(full / "fashion-ddpm", command, "--help", folder=tmp_path)
    assert done.stdout.startswith(f"usage: fashion-ddpm {command} ")
    assert flag in done.stdout


def test_it_exports_a_site_that_is_the_clones(
    full: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    words = ("export-web", "--checkpoint", tiny_checkpoint, "--output", "site")
    done = run(full / "fashion-ddpm", *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    page = ROOT / "fashion_ddpm" / "web" / "site"
    for path in filter(Path.is_file, page.rglob("*")):
        copied = tmp_path / "site" / path.relative_to(page)
        assert copied.read_bytes() == path.read_bytes(), path
    listed = json.loads((tmp_path / "site" / "manifest.json").read_text())["files"]
    assert {"models/unet.onnx.gz", "models/clip.onnx.gz", "data/gallery.json.gz"} <= set(listed)


def test_it_serves_the_page(full: Path, tmp_path: Path) -> None:
    with run_app(program=(str(full / "fashion-ddpm"), "app"), folder=tmp_path) as app:
        ready = json.loads(send(app.address, "GET", "/readyz").text)
        assert ready["version"] == fashion_ddpm.__version__
        assert call(app.address).kind == "images"
    assert not list(tmp_path.iterdir())
