"""Tests of writing JSON files and refusing damaged ones."""

from pathlib import Path

import pytest

from fashion_ddpm.core.json_files import FileError, read_object, write_object


def test_a_written_file_can_be_read_and_no_temporary_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    write_object(path, {"seed": 1})
    write_object(path, {"seed": 2})
    assert read_object(path, "restore it") == {"seed": 2}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"7", b"\xff\0", b"[" * 10**5])
def test_anything_but_an_object_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"settings\.json .+: delete it\.$"):
        read_object(path, "delete it")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(FileError, match=f"{path} cannot be read"):
            read_object(path, "name another")
