"""Tests of the repository as a Space, a clone and a package: pins, file sizes, public names."""

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import Version

import fashion_ddpm
from fashion_ddpm.core.provenance import library_versions
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings

ROOT = Path(__file__).parent.parent


def read_pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text().split()
    return dict(line.split("==") for line in lines)


def read_front_matter() -> dict[str, str]:
    block = (ROOT / "README.md").read_text().split("---\n")[1]
    return dict(line.split(": ", 1) for line in block.splitlines())


def test_the_space_runs_the_gradio_that_is_tested() -> None:
    matter = read_front_matter()
    assert matter["sdk"] == "gradio"
    assert matter["sdk_version"] == read_pins()["gradio"]
    assert matter["python_version"].strip('"') == "3.11"
    assert (ROOT / matter["app_file"]).exists()
    assert len(matter["short_description"]) <= 60


def test_what_is_installed_is_what_is_pinned() -> None:
    pins = read_pins()
    installed = {name: version for name, version in library_versions().items() if name in pins}
    assert installed
    assert {name: version.split("+")[0] for name, version in installed.items()} == {
        name: pins[name] for name in installed
    }


def test_every_tracked_file_is_small_enough_for_a_plain_push() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git clone")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        assert not path.exists() or path.stat().st_size <= 10 * 2**20, name


def test_a_version_tag_of_this_commit_names_the_packages_version() -> None:
    command = ["git", "tag", "--points-at", "HEAD", "v[0-9]*"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert set(listed.stdout.split()) <= {f"v{fashion_ddpm.__version__}"}


def test_the_bundled_weights_are_safetensors_alone() -> None:
    files = [path for path in (ROOT / "checkpoints").rglob("*") if path.is_file()]
    code = [path.name for path in files if path.suffix == ".py"]
    assert code == ["pipeline.py"] * 2  # what diffusers alone runs
    assert {path.suffix for path in files} <= {
        ".json",
        ".safetensors",
        ".npz",
        ".md",
        ".png",
        ".py",
    }


def test_links_in_the_readme_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target


def test_the_package_has_its_public_names() -> None:
    assert fashion_ddpm.FashionDDPMPipeline is FashionDDPMPipeline
    assert fashion_ddpm.load_pipeline is load_pipeline
    assert fashion_ddpm.SamplingSettings is SamplingSettings
    for name in fashion_ddpm.__all__:
        assert hasattr(fashion_ddpm, name)


def test_another_name_is_refused_as_python_does_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pipelin'"):
        fashion_ddpm.Pipelin  # noqa: B018


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("fashion_ddpm.pipeline", "FashionDDPMPipeline"),
        ("fashion_ddpm.pipeline", "load_pipeline"),
        ("fashion_ddpm.sampling", "SamplingSettings"),
    ],
)
def test_a_path_of_before_still_works(path: str, name: str) -> None:
    assert getattr(importlib.import_module(path), name) is getattr(fashion_ddpm, name)


def test_the_package_alone_loads_no_torch() -> None:
    program = "import sys, fashion_ddpm; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def read_yaml(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / name).read_text()))


def test_the_citation_is_of_the_newest_release_which_the_changelog_describes() -> None:
    citation = read_yaml("CITATION.cff")
    assert citation.keys() >= {"cff-version", "message", "title", "authors", "license"}
    assert Version(citation["version"]) <= Version(fashion_ddpm.__version__)
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert headings[1] == f"[{citation['version']}] - {citation['date-released']}"


def test_the_hooks_run_the_pinned_tools_of_make_static() -> None:
    entries = [
        hook["entry"]
        for repository in read_yaml(".pre-commit-config.yaml")["repos"]
        for hook in repository["hooks"]
    ]
    tool = re.compile(r"^\s*(?:\$\(BIN\)|\.venv/bin)/([a-z-]+(?: check| format)?)", re.MULTILINE)
    static = (ROOT / "Makefile").read_text().partition("\nstatic:")[2].partition("\n\n")[0]
    tools = tool.findall("\n".join(entries))
    assert tools == tool.findall(static)
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    files = [file for name in pinned for file in importlib.metadata.files(name) or []]
    own = {"python"}  # runs a tool of tests/tools
    assert {name.split()[0] for name in tools} - own <= {file.stem for file in files}


def test_the_pages_workflow_deploys_what_make_builds() -> None:
    *_, build, upload = read_yaml(".github/workflows/pages.yml")["jobs"]["build"]["steps"]
    rule = (ROOT / "Makefile").read_text().partition(f"\n{build['run'].split()[-1]}: ")[2]
    assert rule.partition("\n\n")[0].endswith(f" --output {upload['with']['path']}")


def test_the_workflow_runs_the_ci_script_with_each_python() -> None:
    job = read_yaml(".github/workflows/ci.yml")["jobs"]["test"]
    *_, step = job["steps"]
    assert os.access(ROOT / step["run"], os.X_OK)
    (variable,) = step["env"]
    assert re.search(rf"^{variable} \?=", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert (
        read_front_matter()["python_version"].strip('"')
        in job["strategy"]["matrix"]["python-version"]
    )
