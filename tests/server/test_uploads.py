"""Tests of the checks of uploads."""

import io

import pytest
from PIL import Image
from starlette.exceptions import HTTPException

from fashion_ddpm.server.uploads import check_upload

TYPE = "multipart/form-data; boundary=----line"


def make_png(side: int = 28) -> bytes:
    """Return a square PNG file."""
    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "PNG")
    return file.getvalue()


def make_form(*contents: bytes, head: bytes = b'name="files"; filename="a.png"') -> bytes:
    """Return a multipart form with files, as a browser sends it."""
    parts = [
        b"------line\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"
        for content in contents
    ]
    return b"".join(parts) + b"------line--\r\n"


def test_small_png_files_pass() -> None:
    check_upload(TYPE, make_form(make_png(), make_png(280)), 2048)


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (make_form(b"GIF89a"), 415, "not a PNG"),
        (make_form(b"<svg onload=alert(1)>"), 415, "not a PNG"),
        (make_form(make_png(), b"%PDF-"), 415, "not a PNG"),
        (make_form(make_png(4000)), 413, "4,000 × 4,000 pixels; here it must have at most 2,048"),
        (make_form(make_png(), head=b'name="other"'), 400, "files and nothing else"),
        (make_form(make_png())[:-20], 400, "incomplete"),
        (b"", 400, "incomplete"),
        (b"------line--", 400, "incomplete"),
    ],
)
def test_other_uploads_are_refused(body: bytes, status: int, expected: str) -> None:
    with pytest.raises(HTTPException, match=expected) as refusal:
        check_upload(TYPE, body, 2048)
    assert refusal.value.status_code == status


@pytest.mark.parametrize(
    "kind", ["", "image/png", "multipart/form-data", f"{TYPE}; x=y", "a" * 999]
)
def test_a_form_must_name_its_boundary(kind: str) -> None:
    with pytest.raises(HTTPException, match="boundary"):
        check_upload(kind, make_form(make_png()), 2048)
