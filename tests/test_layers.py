"""Tests of the house: imports go down, outside libraries have one door, the README is true."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fashion_ddpm"
DOORS = {
    "gradio": {"app"},
    "accelerate": {"ranks", "training"},
    "transformers": {"clip_scores", "scorer_training"},
    "tokenizers": {"scorer_training"},
    "matplotlib": {"figures"},
    "torch_fidelity": {"inception"},
    "huggingface_hub": {"model_card"},
}


def listed() -> list[str]:
    """Returns the modules of the README's table, from the lowest up."""
    table = (ROOT / "README.md").read_text().split("<!-- modules -->")[1]
    return re.findall(r"^\| \w+ \| `(\w+)` \|", table, flags=re.MULTILINE)


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
    return sorted(path for path in PACKAGE.glob("*.py") if path.stem != "__init__")


def test_the_readme_lists_every_module_once() -> None:
    assert sorted(listed()) == [path.stem for path in sources()]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_imports_only_go_down(path: Path) -> None:
    order = listed()
    for name in imported(path):
        if name.startswith("fashion_ddpm."):
            first, second = [*name.split("."), ""][1:3]
            module = first if first in order else second
            assert order.index(module) < order.index(path.stem), f"{path.stem} imports {module}"


@pytest.mark.parametrize("library", DOORS)
def test_an_outside_library_has_one_door(library: str) -> None:
    files = [*sources(), ROOT / "app.py", ROOT / "train_accelerate.py"]
    users = {
        path.stem for path in files if any(name.split(".")[0] == library for name in imported(path))
    }
    assert users == DOORS[library]


def test_every_module_has_its_tests() -> None:
    for path in [*sources(), ROOT / "app.py", ROOT / "train_accelerate.py"]:
        name = path.stem.strip("_")
        assert (ROOT / "tests" / f"test_{name}.py").exists(), f"{name} has no tests"
