"""Tests of what the repository takes in: bytes that are listed, pins, licences, no code by data."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.manifest import MANIFEST, faults, loose_files, read_manifest
from fashion_ddpm.core.paths import BUNDLED
from tests.tools.licences import FILES, LICENCES, page, pins

ROOT = Path(__file__).parent.parent
OURS = sorted(
    [*(ROOT / "fashion_ddpm").rglob("*.py"), ROOT / "app.py", ROOT / "train_accelerate.py"]
)

MADE_BY = {
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
"""What lies in checkpoints → the command that writes it, and its line in the manifest."""


def command_for(name: str) -> str:
    return next(MADE_BY[part] for part in (name, name.split("/")[0]) if part in MADE_BY)


def test_every_bundled_file_is_what_a_manifest_lists() -> None:
    folders = [BUNDLED, *(path.parent for path in BUNDLED.glob(f"*/**/{MANIFEST}"))]
    wrong = []
    for folder in folders:
        above = "" if folder == BUNDLED else f"{folder.relative_to(BUNDLED)}/"
        for fault in faults(folder):
            wrong.append(
                f"checkpoints/{above}{fault}; {command_for(above + fault.split(' is ')[0])}"
            )
    assert not wrong, "\n".join(wrong)
    assert len(folders) == 5


def test_every_bundled_file_is_listed() -> None:
    listed = read_manifest(BUNDLED)
    new = [f"{name}: {command_for(name)}" for name in loose_files(BUNDLED) if name not in listed]
    assert not new, "\n".join(new)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_to_one_version(name: str) -> None:
    for line in (ROOT / name).read_text().split("\n"):
        assert re.fullmatch(r"|-r requirements\.txt|[\w-]+==\d+(\.\d+)+", line), line


def test_the_licence_of_every_pinned_requirement_is_listed() -> None:
    listed = LICENCES.read_text()
    for name in FILES.values():
        for package, version in pins(name).items():
            assert f"| {package} {version} | " in listed, "run python -m tests.tools.licences"


def test_a_licence_is_named_and_not_its_text() -> None:
    for line in page().split("\n")[7:-1]:
        _, _, name, _, _ = line.split("|")
        assert 2 < len(name.strip()) <= 200, line


def test_the_package_declares_no_other_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "dependencies" in project["project"]["dynamic"]
    dynamic = project["tool"]["setuptools"]["dynamic"]
    assert dynamic["dependencies"] == {"file": ["requirements.txt"]}


FORBIDDEN_IMPORTS = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "yaml"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen"}


def dangers(source: str) -> Iterator[str]:
    """Yield what in a program could make data run as code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_IMPORTS
        elif isinstance(node, ast.ImportFrom):
            yield from {(node.module or "").split(".")[0]} & FORBIDDEN_IMPORTS
        elif isinstance(node, ast.Call):
            yield from _dangers_of_call(node)


def _dangers_of_call(node: ast.Call) -> Iterator[str]:
    called = ast.unparse(node.func)
    given = {word.arg: ast.unparse(word.value) for word in node.keywords}
    method = called.split(".")[-1]
    if called in FORBIDDEN_CALLS or (called.startswith("os.") and method in FORBIDDEN_CALLS):
        yield called
    if called == "torch.load" and given.get("weights_only") != "True":
        yield "torch.load without weights_only"
    if called == "np.load" and given.get("allow_pickle") != "False":
        yield "np.load without allow_pickle=False"
    if given.get("shell", "False") != "False":
        yield "a shell"
    if "trust_remote_code" in given:
        yield "trust_remote_code"
    if method == "from_pretrained" and called.startswith(("UNet", "CLIPModel", "Diffusion")):
        yield from () if given.get("use_safetensors") == "True" else ("pickled weights",)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_no_data_runs_as_code(path: Path) -> None:
    assert not list(dangers(path.read_text()))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from yaml import load",
        "eval(x)",
        "exec(x)",
        "os.system(x)",
        "torch.load(x)",
        "torch.load(x, weights_only=False)",
        "np.load(x)",
        "np.load(x, allow_pickle=True)",
        "subprocess.run(x, shell=True)",
        "X.from_pretrained(y, trust_remote_code=True)",
        "UNet2DModel.from_pretrained(y)",
    ],
)
def test_such_code_would_be_found(source: str) -> None:
    assert list(dangers(source))


def secrets(source: str) -> list[str]:
    """Return where a program asks its environment for a secret."""
    asked = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call | ast.Subscript)
    ]
    secret = re.compile(r"(environ|getenv).*(TOKEN|SECRET|PASSWORD|_KEY)")
    return [question for question in asked if secret.search(question)]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_no_secret_is_read(path: Path) -> None:
    """The Hub's own client finds the user's token; nothing here knows where it lies."""
    assert not secrets(path.read_text())


@pytest.mark.parametrize("source", ["os.environ['HF_TOKEN']", "os.getenv('OPENAI_API_KEY', '')"])
def test_a_secret_that_is_read_would_be_found(source: str) -> None:
    assert secrets(source)
