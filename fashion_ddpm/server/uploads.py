"""What may be uploaded: small PNG files, as a browser sends them, and nothing else."""

import re

from starlette.exceptions import HTTPException

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BOUNDARY = re.compile(r'multipart/form-data;\s*boundary="?([0-9A-Za-z_./+-]{1,70})"?')
_FILE = re.compile(rb'name="files"; filename="[^"\r\n]{0,255}"', re.IGNORECASE)


def check_upload(content_type: str, body: bytes, max_side: int) -> None:
    """Raise HTTPException unless a body holds small PNG files.

    Args:
        content_type: the header.
        body: all of it.
        max_side: longest side of a picture that is decoded here.
    """
    found = _BOUNDARY.fullmatch(content_type)
    if not found:
        raise HTTPException(400, "An upload must be multipart/form-data with a plain boundary.")
    line = b"--" + found[1].encode()
    before, *parts = body.split(line)
    if before or len(parts) < 2 or parts.pop().strip() != b"--":
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
