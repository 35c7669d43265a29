"""Tests of class folders, sound and odd ones."""

from pathlib import Path

import pytest

from fashion_ddpm.data import DataError
from fashion_ddpm.image_folder import list_folder
from tests.tools.shapes import SHAPES, shape, write_shapes


def test_each_folder_is_a_class_and_pictures_come_in_the_order_of_their_names(
    tmp_path: Path,
) -> None:
    listing = list_folder(str(write_shapes(tmp_path, 3)))
    assert listing.class_names == SHAPES
    assert [picture.name for picture in listing.train][:4] == [
        "circle/0000.png",
        "circle/0001.png",
        "circle/0002.png",
        "square/0000.png",
    ]
    assert [picture.label for picture in listing.train] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert not listing.test
    with listing.train[0].open() as picture:
        assert picture.tobytes() == shape("circle", 0).tobytes()


def test_train_and_test_are_taken_where_they_exist(tmp_path: Path) -> None:
    write_shapes(tmp_path / "train", 3)
    assert list_folder(str(tmp_path)).class_names == SHAPES
    shape("triangle", 7).save(tmp_path / "train" / "triangle" / "more.png")
    (tmp_path / "test" / "triangle").mkdir(parents=True)
    shape("triangle", 8).save(tmp_path / "test" / "triangle" / "one.png")
    listing = list_folder(str(tmp_path))
    assert len(listing.train) == 10
    assert [(picture.name, picture.label) for picture in listing.test] == [
        ("test/triangle/one.png", 2)
    ]
    (tmp_path / "test" / "star").mkdir()
    with pytest.raises(DataError, match=r"holds a class that .+train lacks \(star\)"):
        list_folder(str(tmp_path))


def test_pictures_in_folders_below_a_class_belong_to_it(tmp_path: Path) -> None:
    write_shapes(tmp_path, 2)
    (tmp_path / "circle" / "from" / "monday").mkdir(parents=True)
    shape("circle", 9).save(tmp_path / "circle" / "from" / "monday" / "late.PNG")
    names = [picture.name for picture in list_folder(str(tmp_path)).train if picture.label == 0]
    assert names[-1] == "circle/from/monday/late.PNG"


def test_other_and_hidden_files_are_no_pictures(tmp_path: Path) -> None:
    write_shapes(tmp_path, 2)
    (tmp_path / "circle" / "Thumbs.db").touch()
    (tmp_path / "circle" / "._0001.png").touch()
    (tmp_path / ".cache").mkdir()
    (tmp_path / "notes.txt").touch()
    assert len(list_folder(str(tmp_path)).train) == 6


def test_a_folder_that_is_none_costs_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="which is no folder"):
        list_folder(str(tmp_path / "nowhere"))
    shape("circle", 1).save(tmp_path / "loose.png")
    with pytest.raises(DataError, match="holds no folders; it must hold one for each class"):
        list_folder(str(tmp_path))


def test_a_class_without_pictures_costs_one_sentence(tmp_path: Path) -> None:
    write_shapes(tmp_path, 2)
    (tmp_path / "star").mkdir()
    (tmp_path / "star" / "plan.txt").touch()
    with pytest.raises(DataError, match=r"star holds no pictures .+ or delete the folder"):
        list_folder(str(tmp_path))
