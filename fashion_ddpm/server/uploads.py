"""Checks of uploads: only small PNG files in a browser's multipart form."""

import re

from starlette.exceptions import HTTPException

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BOUNDARY = re.compile(r'multipart/form-data;\s*boundary="?([0-9A-Za-z_./+-]{1,70})"?')
_FILE = re.compile(rb'name="files"; filename="[^"\r\n]{0,255}"', re.IGNORECASE)


def check_upload(content_type: str, body: bytes, max_side: int) -> None:
    """Raise HTTPException unless a multipart form contains only small PNG files.

    Args:
        content_type: the header Content-Type.
        body: the whole body.
        max_side: longest side allowed, in pixels.
    """
    match = _BOUNDARY.fullmatch(content_type)
    if not match:
        raise HTTPException(400, "An upload must be multipart/form-data with a plain boundary.")
    preamble, *parts = body.split(b"--" + match[1].encode())
    if preamble or len(parts) < 2 or parts.pop().strip() != b"--":
        raise HTTPException(400, "The upload is incomplete; send it again.")
    for part in parts:
        head, _, content = part.partition(b"\r\n\r\n")
        if not _FILE.search(head):
            raise HTTPException(400, "An upload must hold files and nothing else.")
        _check_png(content, max_side)


def _check_png(content: bytes, max_side: int) -> None:
    if not content.startswith(PNG_SIGNATURE) or content[12:16] != b"IHDR":
        raise HTTPException(415, "The file is not a PNG picture; only those can be uploaded here.")
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    if max(width, height) > max_side:
        raise HTTPException(
            413,
            f"The picture has {width:,} × {height:,} pixels; here it must have at most "
            f"{max_side:,} on a side.",
        )
