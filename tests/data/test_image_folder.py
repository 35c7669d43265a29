"""Tests of class folders."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from fashion_ddpm.data.image_folder import list_image_folder
from fashion_ddpm.data.labelled_images import DataError
from tests.tools.shapes import SHAPES, draw_shape, write_shapes


def names_in(folder: Path) -> list[str]:
    """Return the names of the training pictures."""
    return [picture.name for picture in list_image_folder(str(folder)).train]


def test_each_folder_is_a_class_and_pictures_are_sorted_by_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "circle" / "0001" / "monday").mkdir(parents=True)
    draw_shape("circle", 9).save(tmp_path / "circle" / "0001" / "monday" / "late.PNG")
    listing = list_image_folder(str(write_shapes(tmp_path, 2)))
    assert listing.class_names == SHAPES
    assert [(picture.name, picture.label) for picture in listing.train] == [
        ("circle/0000.png", 0),
        ("circle/0001/monday/late.PNG", 0),
        ("circle/0001.png", 0),
        ("square/0000.png", 1),
        ("square/0001.png", 1),
        ("triangle/0000.png", 2),
        ("triangle/0001.png", 2),
    ]
    assert not listing.test
    with Image.open(io.BytesIO(listing.train[0].read())) as picture:
        assert picture.tobytes() == draw_shape("circle", 0).tobytes()


def test_train_and_test_are_taken_where_they_exist(tmp_path: Path) -> None:
    write_shapes(tmp_path / "train", 3)
    assert list_image_folder(str(tmp_path)).class_names == SHAPES
    draw_shape("triangle", 7).save(tmp_path / "train" / "triangle" / "more.png")
    (tmp_path / "test" / "triangle").mkdir(parents=True)
    draw_shape("triangle", 8).save(tmp_path / "test" / "triangle" / "one.png")
    listing = list_image_folder(str(tmp_path))
    assert len(listing.train) == 10
    assert [(picture.name, picture.label) for picture in listing.test] == [
        ("test/triangle/one.png", 2)
    ]
    (tmp_path / "test" / "star").mkdir()
    with pytest.raises(DataError, match=r"holds a class that .+train lacks \(star\)"):
        list_image_folder(str(tmp_path))


@pytest.mark.parametrize("name", [".ipynb_checkpoints", ".thumbnails", "__MACOSX", ".DS_Store"])
@pytest.mark.parametrize("parent", ["", "circle", "circle/more"])
def test_pictures_below_a_hidden_folder_are_ignored_and_counted(
    tmp_path: Path, name: str, parent: str
) -> None:
    write_shapes(tmp_path, 2)
    before = names_in(tmp_path)
    for folder in (tmp_path / parent / name, tmp_path / parent / name / "circle"):
        folder.mkdir(parents=True)
        for seed in range(3):
            draw_shape("circle", seed).save(folder / f"copy-{seed}.png")
    listing = list_image_folder(str(tmp_path))
    assert names_in(tmp_path) == before
    assert listing.class_names == SHAPES
    (note,) = listing.notes
    assert "6 hidden pictures are passed over" in note
    assert f"{name}/circle/copy-0.png" in note


def test_other_and_hidden_files_are_counted_and_named(tmp_path: Path) -> None:
    write_shapes(tmp_path, 2)
    (tmp_path / "notes.txt").touch()
    for name in ("._0001.png", "a.heic", "b.HEIC", "c.jxl", "noname"):
        (tmp_path / "circle" / name).touch()
    assert len(names_in(tmp_path)) == 6
    hidden, other = list_image_folder(str(tmp_path)).notes
    assert "1 hidden pictures are passed over: circle/._0001.png" in hidden
    assert "4 files (.heic 2, .jxl 1, no suffix 1)" in other
    assert "circle/a.heic" in other


@pytest.mark.parametrize(
    ("files", "expected"), [([], ""), (["a.heic"], r", but 1 files \(\.heic 1\)")]
)
def test_a_class_without_pictures_is_refused(
    tmp_path: Path, files: list[str], expected: str
) -> None:
    write_shapes(tmp_path, 2)
    (tmp_path / "star").mkdir()
    for name in files:
        (tmp_path / "star" / name).touch()
    with pytest.raises(DataError, match=rf"star holds no pictures .+\){expected}.* or delete the"):
        list_image_folder(str(tmp_path))


def test_pictures_in_no_class_folder_are_counted(tmp_path: Path) -> None:
    for split in ("train", "test", "val"):
        write_shapes(tmp_path / split, 2)
    draw_shape("circle", 9).save(tmp_path / "train" / "overview.png")
    draw_shape("circle", 9).save(tmp_path / "loose.png")
    listing = list_image_folder(str(tmp_path))
    assert [len(listing.train), len(listing.test)] == [6, 6]
    (note,) = listing.notes
    assert "8 pictures in no class folder are passed over" in note
    assert "train/overview.png" in note


def test_a_class_may_be_called_train_or_test(tmp_path: Path) -> None:
    write_shapes(tmp_path, 2)
    (tmp_path / "circle").rename(tmp_path / "train")
    (tmp_path / "square").rename(tmp_path / "test")
    (tmp_path / "train" / "steam").mkdir()
    draw_shape("circle", 9).save(tmp_path / "train" / "steam" / "engine.png")
    listing = list_image_folder(str(tmp_path))
    assert listing.class_names == ("test", "train", "triangle")
    assert [picture.label for picture in listing.train] == [0, 0, 1, 1, 1, 2, 2]
    assert not listing.test
    assert [note.split(" is a class")[0] for note in listing.notes] == [
        "the folder test",
        "the folder train",
    ]


def test_an_ambiguous_train_folder_is_refused(tmp_path: Path) -> None:
    write_shapes(tmp_path / "train", 2)
    write_shapes(tmp_path / "test", 2)
    (tmp_path / "notes").mkdir()
    assert len(list_image_folder(str(tmp_path)).test) == 6
    draw_shape("circle", 9).save(tmp_path / "notes" / "plan.png")
    with pytest.raises(DataError, match="train holds folders and no pictures, but notes lies"):
        list_image_folder(str(tmp_path))


def test_names_of_splits_and_classes_ignore_case(tmp_path: Path) -> None:
    write_shapes(tmp_path / "Train", 2)
    write_shapes(tmp_path / "TEST", 3)
    listing = list_image_folder(str(tmp_path))
    assert [len(listing.train), len(listing.test)] == [6, 9]
    (tmp_path / "TEST" / "circle").rename(tmp_path / "TEST" / "Circle")
    with pytest.raises(DataError, match=r"Train lacks \(Circle\): rename it to circle"):
        list_image_folder(str(tmp_path))


def test_numbers_are_sorted_numerically_unless_an_order_is_given(tmp_path: Path) -> None:
    for name in ("1", "2", "10"):
        (tmp_path / name).mkdir()
        draw_shape("circle", int(name)).save(tmp_path / name / "one.png")
    for recorded in (("1", "10", "2"), ("1", "2", "10"), ("1", "10", "3")):
        listing = list_image_folder(str(tmp_path), recorded)
        assert listing.class_names == (("1", "2", "10") if "3" in recorded else recorded)
        assert [(picture.name, picture.label) for picture in listing.train] == [
            (f"{name}/one.png", label) for label, name in enumerate(listing.class_names)
        ]
    (tmp_path / "ten").mkdir()
    draw_shape("circle", 3).save(tmp_path / "ten" / "one.png")
    assert list_image_folder(str(tmp_path)).class_names == ("1", "10", "2", "ten")


def test_symbolic_links_are_followed_but_not_cyclic_ones(tmp_path: Path) -> None:
    elsewhere = write_shapes(tmp_path / "elsewhere", 2)
    data = tmp_path / "data"
    (data / "own").mkdir(parents=True)
    draw_shape("circle", 5).save(data / "own" / "a.png")
    (data / "linked").symlink_to(elsewhere / "circle")
    (data / "own" / "more").symlink_to(elsewhere / "square")
    (data / "own" / "z.png").symlink_to(elsewhere / "circle" / "0001.png")
    (data / "own" / "above").symlink_to(data)
    (data / "itself").symlink_to(data)
    (elsewhere / "square" / "back").symlink_to(data / "own")
    assert names_in(data) == [
        "linked/0000.png",
        "linked/0001.png",
        "own/a.png",
        "own/more/0000.png",
        "own/more/0001.png",
        "own/z.png",
    ]


def test_a_dangling_link_is_a_picture_that_cannot_be_read(tmp_path: Path) -> None:
    write_shapes(tmp_path, 2)
    (tmp_path / "circle" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (picture,) = [each for each in list_image_folder(str(tmp_path)).train if "gone" in each.name]
    with pytest.raises(FileNotFoundError):
        picture.read()


def test_a_too_long_path_is_refused() -> None:
    with pytest.raises(DataError, match="--dataset names xxx"):
        list_image_folder("x" * 5000)


def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    write_shapes(tmp_path, 2)
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "circle" / "a.png")
    (tmp_path / "circle" / "b.png").symlink_to(tmp_path / "pipe")
    assert len(names_in(tmp_path)) == 6


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_refused(tmp_path: Path) -> None:
    write_shapes(tmp_path, 2)
    (tmp_path / ".waste").mkdir(mode=0)
    assert len(names_in(tmp_path)) == 6
    (tmp_path / "circle").chmod(0)
    try:
        with pytest.raises(DataError, match="cannot be read"):
            list_image_folder(str(tmp_path))
    finally:
        (tmp_path / "circle").chmod(0o700)


def test_a_path_without_class_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="which is no folder"):
        list_image_folder(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="nosuchuser"):
        list_image_folder("~nosuchuser/pictures")
    draw_shape("circle", 1).save(tmp_path / "loose.png")
    with pytest.raises(DataError, match="holds no folders; it must hold one for each class"):
        list_image_folder(str(tmp_path))
