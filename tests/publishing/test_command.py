"""Tests of the publish command: an upload to a fake Hub, a dry run, and errors."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fashion_ddpm.core.errors import UserError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.save_checkpoint import save_checkpoint
from fashion_ddpm.publishing.command import Publication, publish
from tests.conftest import TINY
from tests.tools.local_hub import LocalHub, run_python, serve_local_hub

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
LOAD_FROM_HUB = """
from diffusers import DiffusionPipeline
for name in ("ada/boots", "ada/boots-turbo"):
    pipe = DiffusionPipeline.from_pretrained(name, trust_remote_code=True)
    print(len(pipe("bag", num_images_per_prompt=2, num_inference_steps=2).images))
from fashion_ddpm.pipeline import FashionDDPMPipeline
print(tuple(FashionDDPMPipeline.from_pretrained("ada/boots")([9, 9, 1], seed=0).shape))
"""


@dataclass
class Upload:
    """One run of the command, and its Hub."""

    hub: LocalHub
    output: Path
    lines: list[str]


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upload]:
    """An upload of the bundled checkpoint."""
    folder = tmp_path_factory.mktemp("upload")
    output = folder / "folders"
    with serve_local_hub() as hub:
        names = ("--model", "ada/boots", "--space", "ada/boots-demo", "--output", str(output))
        command = ("-m", "fashion_ddpm", "publish", *names)
        yield Upload(hub, output, run_python(hub, folder, *command).splitlines())


def test_both_folders_arrive_whole_and_the_links_come_last(upload: Upload) -> None:
    names = {"model": "ada/boots", "distilled": "ada/boots-turbo", "space": "ada/boots-demo"}
    for part, name in names.items():
        folder, kind = upload.output / part, "space" if part == "space" else "model"
        files = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        assert upload.hub.repos[kind, name].files == files | {".gitattributes": b""}
    address = upload.hub.address
    pages = ("ada/boots", "ada/boots-turbo", "spaces/ada/boots-demo")
    assert upload.lines[-3:] == [f"{address}/{page}" for page in pages]
    card = (upload.output / "distilled" / "README.md").read_text()
    assert "base_model: ada/boots\n" in card


def test_the_space_was_seen_to_run_before_anything_was_sent(upload: Upload) -> None:
    assert f"The Space runs from {upload.output / 'space'}." in upload.lines
    assert not list(upload.output.rglob("__pycache__"))


def test_a_stranger_loads_the_model_by_its_name(upload: Upload, tmp_path: Path) -> None:
    printed = run_python(upload.hub, tmp_path, "-c", LOAD_FROM_HUB)
    assert printed.splitlines() == ["2", "2", "(3, 28, 28)"]


def test_a_dry_run_writes_and_starts_other_weights_too_and_needs_no_token(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    output = tmp_path / "folders"
    publication = Publication("ada/boots", "ada/demo", tiny_checkpoint, output=output, dry_run=True)
    lines = list(publish(publication))
    assert "has no report on the weights of" in lines[0]
    assert lines[-1] == "Nothing was sent; without --dry-run it is."
    assert {path.name for path in output.iterdir()} == {"model", "space"}
    assert not list(tmp_path.rglob("*.writing"))


def test_a_checkpoint_whose_log_no_space_could_show_ends_the_command(
    tiny_pipeline: FashionDDPMPipeline, tmp_path: Path
) -> None:
    facts = {"images_seen": 0, "device": "cpu", "log": [{"loss": 1.0}]}  # at how many images?
    save_checkpoint(tiny_pipeline, tmp_path / "odd", TINY, facts)
    publication = Publication("a/b", "a/c", tmp_path / "odd", output=tmp_path / "out", dry_run=True)
    with pytest.raises(UserError, match=r"run\.json holds a 'log'"):
        list(publish(publication))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": "boots"}, "--model is 'boots'; it must be USER/NAME"),
        ({"space": "a/b/c"}, "--space is 'a/b/c'; it must be USER/NAME"),
        ({"checkpoint": Path("nowhere")}, "nowhere"),
        ({"output": ROOT}, "exists and holds other things than published folders"),
        ({"output": ROOT / "LICENSE"}, "exists and holds other things"),
        ({}, "There is no token for the Hub"),
    ],
)
def test_a_mistake_costs_one_sentence_and_writes_nothing(
    changes: dict[str, Any], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    defaults: dict[str, Any] = {"model": "a/b", "space": "a/c", "output": tmp_path / "folders"}
    with pytest.raises(UserError, match=expected):
        list(publish(Publication(**(defaults | changes))))
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_that_cannot_be_loaded_leaves_the_last_folders_alone(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_checkpoint, broken)
    (broken / "manifest.json").unlink()
    (broken / "unet" / "config.json").write_text("damaged")
    old = tmp_path / "folders" / "model" / "old"
    old.parent.mkdir(parents=True)
    old.touch()
    publication = Publication("a/b", "a/c", broken, output=tmp_path / "folders", dry_run=True)
    with pytest.raises(UserError, match="could not be loaded"):
        list(publish(publication))
    assert old.exists()
