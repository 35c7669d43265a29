"""The only place where pixel ranges and sizes change; grids and PNG files with their settings."""

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

IMAGE_SIZE = 28
SETTINGS_KEY = "fashion-ddpm"
"""The PNG text chunk that holds the settings an image was made with."""


def to_model(images: Tensor) -> Tensor:
    """Turns stored images into what the network sees.

    Args:
        images: uint8 [B, 28, 28], 0 black … 255 white.

    Returns:
        float32 [B, 1, 28, 28] in [−1, 1].

    Raises:
        ValueError: the images are not uint8 [B, H, W].
    """
    if images.dtype != torch.uint8 or images.ndim != 3:
        raise ValueError(
            f"images are {images.dtype} {list(images.shape)}; they must be uint8 [B, H, W]: "
            "multiply values in [0, 1] by 255 first."
        )
    return images.unsqueeze(1).float() / 127.5 - 1


def to_uint8(images: Tensor) -> Tensor:
    """Turns the network's images into stored ones; values outside [−1, 1] are clamped.

    Args:
        images: float [B, 1, 28, 28].

    Returns:
        uint8 [B, 28, 28].
    """
    return ((images.squeeze(1).float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def grid(images: Tensor, columns: int | None = None, gap: int = 2, scale: int = 1) -> Image.Image:
    """Lays images out in rows, nearest-neighbour enlarged.

    Args:
        images: uint8 [B, H, W].
        columns: images in a row; the nearest to a square when not given.
        gap: pixels between two images, before enlarging.
        scale: factor of enlargement.
    """
    count, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap), np.uint8)
    for index, image in enumerate(images.cpu().numpy()):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return enlarge(canvas, scale)


def enlarge(image: np.ndarray | Tensor, scale: int) -> Image.Image:
    """Returns a grey picture of uint8 [H, W], each pixel scale × scale wide: nothing is blended."""
    picture = Image.fromarray(np.asarray(image))
    size = (picture.width * scale, picture.height * scale)
    return picture.resize(size, Image.Resampling.NEAREST)


def save_png(picture: Image.Image, target: Path | io.BytesIO, settings: Mapping[str, Any]) -> None:
    """Writes a PNG that carries the settings it was made with."""
    info = PngInfo()
    info.add_text(SETTINGS_KEY, json.dumps(dict(settings)))
    picture.save(target, "PNG", pnginfo=info)


def read_settings(path: Path) -> dict[str, Any]:
    """Returns the settings a PNG was made with, or an empty dict."""
    with Image.open(path, formats=["PNG"]) as picture:
        return dict(json.loads(picture.info.get(SETTINGS_KEY, "{}")))


def labelled_grid(rows: Mapping[str, Tensor], scale: int = 2) -> Image.Image:
    """Lays out one row of images for each name, with the name in front.

    Args:
        rows: name → uint8 [B, H, W], the same B for all.
        scale: factor of enlargement.
    """
    strips = [grid(images, columns=len(images), scale=scale) for images in rows.values()]
    gap, margin = 2 * scale, 90
    height = strips[0].height + gap
    picture = Image.new("L", (margin + strips[0].width, height * len(strips) - gap))
    pen = ImageDraw.Draw(picture)
    for index, (name, strip) in enumerate(zip(rows, strips, strict=True)):
        pen.text((4, index * height + strip.height // 2 - 6), name, fill=255)
        picture.paste(strip, (margin, index * height))
    return picture
