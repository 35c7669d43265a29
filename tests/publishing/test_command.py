"""Tests of the publish command: an upload to a fake Hub, a dry run, and errors."""

import gzip
import json
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
def upload(
    checkpoint_with_turbo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upload]:
    """An upload of two small networks."""
    folder = tmp_path_factory.mktemp("upload")
    output = folder / "folders"
    with serve_local_hub() as hub:
        spaces = ("--space", "ada/boots-demo", "--static-space", "ada/boots-browser")
        names = ("--model", "ada/boots", *spaces, "--checkpoint", str(checkpoint_with_turbo))
        command = ("-m", "fashion_ddpm", "publish", *names, "--output", str(output))
        yield Upload(hub, output, run_python(hub, folder, *command).splitlines())


def test_all_folders_arrive_whole_and_the_links_come_last(upload: Upload) -> None:
    names = {
        "model": "ada/boots",
        "distilled": "ada/boots-turbo",
        "space": "ada/boots-demo",
        "static-space": "ada/boots-browser",
    }
    for part, name in names.items():
        folder, kind = upload.output / part, "space" if "space" in part else "model"
        files = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        assert upload.hub.repos[kind, name].files == files | {".gitattributes": b""}
    address = upload.hub.address
    spaces = ("spaces/ada/boots-demo", "spaces/ada/boots-browser")
    pages = ("ada/boots", "ada/boots-turbo", *spaces)
    assert upload.lines[-4:] == [f"{address}/{page}" for page in pages]
    card = (upload.output / "distilled" / "README.md").read_text()
    assert "base_model: ada/boots\n" in card


def read_site(folder: Path) -> Any:
    """Return what a static site knows beside its networks."""
    return json.loads(gzip.decompress((folder / "data" / "site.json.gz").read_bytes()))


def test_the_spaces_link_to_each_other(upload: Upload) -> None:
    site = read_site(upload.output / "static-space")
    assert site["links"]["demo"] == "https://huggingface.co/spaces/ada/boots-demo"
    static = "https://huggingface.co/spaces/ada/boots-browser"
    assert (upload.output / "space" / "static_site.txt").read_text() == f"{static}\n"
    assert static in (upload.output / "space" / "README.md").read_text()
    assert static in (upload.output / "model" / "README.md").read_text()


def test_a_static_space_holds_a_site_and_runs_nothing_else(upload: Upload) -> None:
    folder = upload.output / "static-space"
    listed = json.loads((folder / "manifest.json").read_text())["files"]
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {*listed, "manifest.json", "README.md", "LICENSE"}
    assert {"models/unet.onnx.gz", "models/turbo.onnx.gz", "index.html"} <= names
    sdks = {name: stored.settings.get("sdk") for (_, name), stored in upload.hub.repos.items()}
    assert (sdks["ada/boots-demo"], sdks["ada/boots-browser"]) == ("gradio", "static")


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


def test_a_static_space_alone_links_to_no_other(tiny_checkpoint: Path, tmp_path: Path) -> None:
    publication = Publication(
        "ada/boots",
        checkpoint=tiny_checkpoint,
        output=tmp_path / "folders",
        dry_run=True,
        static_space="ada/browser",
    )
    lines = list(publish(publication))
    assert any(line.startswith("The space ada/browser") for line in lines)
    folder = tmp_path / "folders" / "static-space"
    assert read_site(folder)["links"]["demo"] == ""
    assert {path.name for path in folder.parent.iterdir()} == {"model", "static-space"}


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
        ({"static_space": "a"}, "--static-space is 'a'; it must be USER/NAME"),
        ({"static_space": "a/c"}, "--space and --static-space are both a/c"),
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
