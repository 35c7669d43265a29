"""How gradio writes pictures: each appears whole, even while somebody fetches the same one."""

import os
import tempfile
from pathlib import Path

from gradio import processing_utils
from PIL import Image

from fashion_ddpm.core.images import FILE_NAME


def save_whole(img: Image.Image, cache_dir: str, name: str = "image", format: str = "webp") -> str:
    """Does what gradio's save_pil_to_cache does, without touching a file that is being read.

    A picture's folder is named after its content, so two visitors who draw the same image share a
    file; gradio empties it and writes it anew, and whoever reads it meanwhile gets nothing.

    Args:
        img: the picture.
        cache_dir: the folder of all pictures.
        name: of the file, without an ending, where the picture has none of its own.
        format: the ending.

    Returns:
        The file.
    """
    content = processing_utils.encode_pil_to_bytes(img, format)
    folder = Path(cache_dir) / processing_utils.hash_bytes(content)
    folder.mkdir(exist_ok=True, parents=True)
    name = Path(img.info.get(FILE_NAME, name)).stem
    path = (folder / f"{name}.{format}").resolve()
    handle, half = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(half, path)
    except OSError:
        Path(half).unlink(missing_ok=True)
        raise
    return str(path)
