"""Tests of the house: imports go down, outside libraries have one door, the README is true."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fashion_ddpm"
DOORS = {
    "gradio": {"app", *(f"ui.{path.stem}" for path in (PACKAGE / "ui").glob("[!_]*.py"))},
    "accelerate": {"ranks", "training"},
    "transformers": {"clip_scores", "scorer_training"},
    "tokenizers": {"scorer_training"},
    "matplotlib": {"figures"},
    "torch_fidelity": {"inception"},
    "huggingface_hub": {"downloads", "model_card", "space_card", "hub"},
    "httpx2": {"hub"},
    "datasets": {"hub_images"},
    "openvino": {"backends"},
    "timm": {"network"},
    "filelock": {"run_lock"},
}


def listed() -> list[str]:
    """Returns the modules of the README's table, from the lowest up."""
    table = (ROOT / "README.md").read_text().split("<!-- modules -->")[1]
    return re.findall(r"^\| \w+ \| `([\w.]+)` \|", table, flags=re.MULTILINE)


def imported(path: Path) -> list[str]:
    """Returns the dotted names that a file imports, anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.stem != "__init__")


def module(path: Path) -> str:
    """Returns a file's name inside the package, or beside it: "ui.create", "app"."""
    inside = path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else path
    return ".".join(inside.with_suffix("").parts) if inside != path else path.stem


def test_the_readme_lists_every_module_once() -> None:
    assert sorted(listed()) == sorted(module(path) for path in sources())


@pytest.mark.parametrize("path", sources(), ids=module)
def test_imports_only_go_down(path: Path) -> None:
    order, own = listed(), module(path)
    for name in imported(path):
        parts = name.removeprefix("fashion_ddpm.").split(".")
        found = [part for part in (".".join(parts[:2]), parts[0]) if part in order]
        if name.startswith("fashion_ddpm.") and found:
            assert order.index(found[0]) < order.index(own), f"{own} imports {found[0]}"


@pytest.mark.parametrize("library", DOORS)
def test_an_outside_library_has_one_door(library: str) -> None:
    files = [*sources(), ROOT / "app.py", ROOT / "train_accelerate.py"]
    users = {
        module(path)
        for path in files
        if any(name.split(".")[0] == library for name in imported(path))
    }
    assert users == DOORS[library]


def test_every_module_has_its_tests() -> None:
    for path in [*sources(), ROOT / "app.py", ROOT / "train_accelerate.py"]:
        name = module(path).strip("_").replace(".", "_")
        assert (ROOT / "tests" / f"test_{name}.py").exists(), f"{name} has no tests"
