"""Tests of fingerprints of data sets and of descriptions of changes."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.json_files import FileError
from fashion_ddpm.data.fingerprint import (
    Fingerprint,
    describe_changes,
    fingerprint_splits,
    read_fingerprint,
    write_fingerprint,
)
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.data.load import load_data_set
from tests.tools.shapes import draw_shape, write_shapes


def fingerprint_folder(folder: Path) -> Fingerprint:
    return load_data_set(DataSettings(dataset=f"imagefolder:{folder}")).fingerprint


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("before") / "shapes", 12)


def test_the_same_pictures_elsewhere_are_the_same_data(before: Path, tmp_path: Path) -> None:
    shutil.copytree(before, tmp_path / "moved")
    (tmp_path / "moved" / ".cache").mkdir()
    (tmp_path / "moved" / "circle" / "notes.txt").touch()
    one, other = fingerprint_folder(before), fingerprint_folder(tmp_path / "moved")
    assert one.digest == other.digest
    assert not list(describe_changes(one, other))


def add(folder: Path) -> None:
    draw_shape("circle", 99).save(folder / "circle" / "new.png")


def remove(folder: Path) -> None:
    for seed in range(5):
        (folder / "square" / f"{seed:04d}.png").unlink()


def change(folder: Path) -> None:
    draw_shape("circle", 98).save(folder / "circle" / "0003.png")


def swap(folder: Path) -> None:
    (folder / "circle" / "0003.png").rename(folder / "circle" / "aside")
    (folder / "circle" / "0004.png").rename(folder / "circle" / "0003.png")
    (folder / "circle" / "aside").rename(folder / "circle" / "0004.png")


def add_class(folder: Path) -> None:
    (folder / "star").mkdir()
    draw_shape("circle", 97).save(folder / "star" / "one.png")


def remove_class(folder: Path) -> None:
    shutil.rmtree(folder / "triangle")


def rename_class(folder: Path) -> None:
    (folder / "circle").rename(folder / "disc")


def rename_and_change(folder: Path) -> None:
    rename_class(folder)
    remove(folder)
    (folder / "disc" / "0000.png").unlink()


FIVE_GONE = (
    "gone or no longer readable: square/0000.png, square/0001.png, square/0002.png and 2 more"
)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (add, ["added: circle/new.png"]),
        (remove, [FIVE_GONE]),
        (change, ["changed: circle/0003.png"]),
        (swap, ["changed: circle/0003.png, circle/0004.png"]),
        (add_class, ["added: class star"]),
        (remove_class, ["removed: class triangle"]),
        (rename_class, ["class circle is now called disc"]),
        (rename_and_change, ["added: class disc", "removed: class circle", FIVE_GONE]),
    ],
)
def test_changes_are_described(
    before: Path, tmp_path: Path, edit: Callable[[Path], None], expected: list[str]
) -> None:
    shutil.copytree(before, tmp_path / "now")
    edit(tmp_path / "now")
    one, other = fingerprint_folder(before), fingerprint_folder(tmp_path / "now")
    assert list(describe_changes(one, other)) == expected
    assert one.digest != other.digest


def test_moved_pictures_and_reordered_classes_are_changes() -> None:
    one = Fingerprint({"a": {"row 0": "x", "row 1": "y"}, "b": {"row 2": "z"}})
    moved = Fingerprint({"a": {"row 0": "x"}, "b": {"row 1": "y", "row 2": "z"}})
    assert len(list(describe_changes(one, moved))) == 2
    turned = Fingerprint({"b": {"row 2": "z"}, "a": {"row 0": "x", "row 1": "y"}})
    assert list(describe_changes(one, turned)) == ["the classes are in another order"]
    assert len({each.digest for each in (one, moved, turned)}) == 3


def test_two_renamed_classes_are_distinguished() -> None:
    one = Fingerprint({"a": {"a/1": "x"}, "b": {"b/1": "y"}})
    other = Fingerprint({"c": {"c/1": "y"}, "d": {"d/1": "x"}})
    first, second = describe_changes(one, other)
    assert (first, second) == ("class b is now called c", "class a is now called d")


def test_damaged_pictures_are_not_part_of_the_fingerprint(before: Path, tmp_path: Path) -> None:
    shutil.copytree(before, tmp_path / "many")
    for seed in range(12, 80):
        draw_shape("circle", seed).save(tmp_path / "many" / "circle" / f"{seed:04d}.png")
    one = fingerprint_folder(tmp_path / "many")
    (tmp_path / "many" / "circle" / "broken.png").touch()
    assert fingerprint_folder(tmp_path / "many").digest == one.digest
    (tmp_path / "many" / "circle" / "broken.png").unlink()
    (tmp_path / "many" / "circle" / "0070.png").write_bytes(b"broken")
    (phrase,) = describe_changes(one, fingerprint_folder(tmp_path / "many"))
    assert phrase == "gone or no longer readable: circle/0070.png"


def test_fingerprint_of_a_hub_data_set(
    before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    found = []
    for name in ("before", "same", "changed"):
        shutil.copytree(before, tmp_path / name / "train")
        if name == "changed":
            change(tmp_path / name / "train")
        found.append(load_data_set(DataSettings(dataset=f"hub:{tmp_path / name}")).fingerprint)
    assert list(found[0].pictures["circle"])[:2] == ["train row 0", "train row 1"]
    assert found[0] == found[1]
    assert list(describe_changes(found[0], found[2])) == ["changed: train row 3"]


def test_fingerprint_of_fashion_mnist(data_dir: Path, real_images: LabelledImages) -> None:
    data = load_data_set(DataSettings(data_dir=str(data_dir)))
    assert data.fingerprint == fingerprint_splits(
        {"train": data.train, "validation": data.validation, "test": data.test}
    )
    images = real_images.images.clone()
    images[real_images.labels == 8] += 1
    others = fingerprint_splits({"test": dataclasses.replace(real_images, images=images)})
    assert list(describe_changes(fingerprint_splits({"test": real_images}), others)) == [
        "changed: the test images of bag"
    ]


def test_a_written_fingerprint_can_be_read_and_is_plain_json(before: Path, tmp_path: Path) -> None:
    one = fingerprint_folder(before)
    write_fingerprint(tmp_path / "data.json", one)
    assert read_fingerprint(tmp_path / "data.json") == one
    content = json.loads((tmp_path / "data.json").read_text())
    assert list(content) == ["circle", "square", "triangle"]
    assert len(content["circle"]["circle/0000.png"]) == 64


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"a": 1}', '{"a": {"b": 1}}', "[" * 9999])
def test_a_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "data.json").write_text(content)
    with pytest.raises(FileError, match=r"data\.json .*: restore it, or delete it if"):
        read_fingerprint(tmp_path / "data.json")
