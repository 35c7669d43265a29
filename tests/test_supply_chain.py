"""Tests of bundled files, pinned requirements, and that data cannot run as code."""

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fashion_ddpm.__main__ import build_parser
from fashion_ddpm.checkpoints.manifest import MANIFEST, files_to_list, find_faults, read_manifest
from fashion_ddpm.core.paths import BUNDLED_DIR

ROOT = Path(__file__).parent.parent
SOURCE_FILES = sorted(
    [*(ROOT / "fashion_ddpm").rglob("*.py"), ROOT / "app.py", ROOT / "train_accelerate.py"]
)

COMMANDS = {
    "gallery.npz": "make gallery",
    "previews": "make gallery",
    "training-images.npz": "python -m fashion_ddpm neighbours",
    "real-test-images.npz": "python -m tests.tools.make_data",
    "fashion-mnist/README.md": "make results",
    "fashion-mnist": "accelerate launch train_accelerate.py, and copy its checkpoint folder whole",
    "fashion-mnist-turbo": "train_accelerate.py --preset distill, and copy its checkpoint whole",
    "clip-fashion-mnist": "python -m fashion_ddpm train-scorer",
    "classifier": "python -m fashion_ddpm train-classifier",
}
"""File or folder in checkpoints → the command that writes it and its line in the manifest."""


def command_for(name: str) -> str:
    return next(COMMANDS[part] for part in (name, name.split("/")[0]) if part in COMMANDS)


def test_every_bundled_file_is_what_a_manifest_lists() -> None:
    folders = [BUNDLED_DIR, *(path.parent for path in BUNDLED_DIR.glob(f"*/**/{MANIFEST}"))]
    wrong = []
    for folder in folders:
        above = "" if folder == BUNDLED_DIR else f"{folder.relative_to(BUNDLED_DIR)}/"
        for fault in find_faults(folder):
            wrong.append(
                f"checkpoints/{above}{fault}; {command_for(above + fault.split(' is ')[0])}"
            )
    assert not wrong, "\n".join(wrong)
    assert len(folders) == 5


def test_every_bundled_file_is_listed() -> None:
    listed = read_manifest(BUNDLED_DIR)
    new = [
        f"{name}: {command_for(name)}" for name in files_to_list(BUNDLED_DIR) if name not in listed
    ]
    assert not new, "\n".join(new)


REQUIREMENTS = ("requirements.txt", "requirements-web.txt", "requirements-dev.txt")


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned_to_one_version(name: str) -> None:
    for line in (ROOT / name).read_text().split("\n"):
        assert re.fullmatch(r"|-r requirements(-web)?\.txt|[\w-]+==\d+(\.\d+)+", line), line


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {
    name: [Requirement(text) for text in texts]
    for name, texts in {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}.items()
}
"""Extra → its requirements; "": those of every installation."""


def requirements_of(*extras: str) -> dict[str, Requirement]:
    """Return the requirements of an installation with these extras, by name."""
    found = {each.name: each for extra in ("", *extras) for each in EXTRAS[extra]}
    included = found.pop(PROJECT["name"], None)
    return found | (requirements_of(*included.extras) if included else {})


def read_pins(name: str) -> dict[str, str]:
    """Return the versions that a file of requirements pins, by name."""
    lines = (ROOT / name).read_text().split("\n")
    return dict(line.split("==") for line in lines if "==" in line)


def third_party_imports(path: Path) -> Iterator[str]:
    """Yield the names of other packages that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names.append(str(node.module))
        for name in {name.split(".")[0] for name in names} - {"fashion_ddpm"}:
            if name not in sys.stdlib_module_names:
                yield name


def test_every_imported_package_is_declared() -> None:
    declared = requirements_of(*EXTRAS)
    distributions = packages_distributions()
    imported = {name: path for path in SOURCE_FILES for name in third_party_imports(path)}
    assert {"torch", "gradio", "pandas", "timm"} <= set(imported)
    undeclared = {
        name: str(path.relative_to(ROOT))
        for name, path in imported.items()
        if not {canonicalize_name(each) for each in distributions[name]} & set(declared)
    }
    assert not undeclared


def test_the_pinned_versions_are_those_that_the_package_allows() -> None:
    declared = requirements_of(*EXTRAS)
    pins = {name: pin for file in REQUIREMENTS for name, pin in read_pins(file).items()}
    assert set(pins) == set(declared)
    refused = {
        name: str(declared[name])
        for name, version in pins.items()
        if not declared[name].specifier.contains(version)
    }
    assert not refused


def test_the_requirements_hold_all_that_a_space_and_a_training_need() -> None:
    assert set(read_pins("requirements.txt")) == set(requirements_of("app", "train", "evaluate"))


def test_every_command_needs_an_extra_that_exists() -> None:
    def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for each in action.choices.values():
                    yield from commands(each)
        if parser.get_default("run"):
            yield parser

    found = list(commands(build_parser()))
    assert len(found) > 10
    for command in found:
        assert set(command.get_default("extra").split(",")) <= set(EXTRAS), command.prog


def find_dangers(source: str) -> Iterator[str]:
    """Yield code that unpickles or reads a secret; ruff's S rules find the rest."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            yield from UNPICKLERS & {name.split(".")[0] for name in modules}
        if isinstance(node, ast.Call | ast.Subscript):
            yield from re.findall(
                r"(?:environ|getenv).*(?:TOKEN|SECRET|PASSWORD|_KEY)", ast.unparse(node)
            )
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if "trust_remote_code" in keywords:
                yield "trust_remote_code"
            for function, argument, safe in SAFE_ARGUMENTS:
                if re.fullmatch(function, called) and keywords.get(argument) != safe:
                    yield f"{called} without {argument}={safe}"


UNPICKLERS = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
SAFE_ARGUMENTS = (
    (r"torch\.load", "weights_only", "True"),
    (r"np\.load", "allow_pickle", "False"),
    (r"(UNet|CLIPModel|Diffusion).*\.from_pretrained", "use_safetensors", "True"),
)
"""Functions that unpickle unless an argument has a value."""


@pytest.mark.parametrize("path", SOURCE_FILES, ids=lambda path: path.stem)
def test_no_data_runs_as_code_and_no_secret_is_read(path: Path) -> None:
    """Only the Hub's own client reads the user's token."""
    assert not list(find_dangers(path.read_text()))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from dill import load",
        "import joblib.numpy_pickle",
        "torch.load(x)",
        "torch.load(x, weights_only=False)",
        "np.load(x, allow_pickle=True)",
        "X.from_pretrained(y, trust_remote_code=True)",
        "UNet2DModel.from_pretrained(y)",
        "os.environ['HF_TOKEN']",
        "os.getenv('OPENAI_API_KEY', '')",
    ],
)
def test_such_code_would_be_found(source: str) -> None:
    assert list(find_dangers(source))
