"""Conversions of pixel ranges and sizes; grids; PNG files that carry their settings."""

import base64
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

from fashion_ddpm.core.image_kind import FASHION_MNIST

IMAGE_SIZE = FASHION_MNIST.image_size
SETTINGS_KEY = "fashion-ddpm"
"""The PNG text chunk that holds the settings of an image."""

GRID_GAP = 2
"""Pixels between the images of a grid."""

FILE_NAME_KEY = "file name"
"""Key in Image.info of the file's name, as a Path so that gradio does not write it to the file."""


def to_model(images: Tensor) -> Tensor:
    """Convert stored images to the network's format.

    Args:
        images: uint8 [B, H, W] grey, or [B, H, W, 3] in colour, 0 black … 255 white.

    Returns:
        float32 [B, 1, H, W] or [B, 3, H, W], in [−1, 1].

    Raises:
        ValueError: the images are not of that type and shape.
    """
    colour = images.ndim == 4 and images.shape[-1] == 3
    if images.dtype != torch.uint8 or not (images.ndim == 3 or colour):
        raise ValueError(
            f"images are {images.dtype} {list(images.shape)}; they must be uint8 [B, H, W] or "
            "[B, H, W, 3]: multiply values in [0, 1] by 255 first."
        )
    return to_channels_first(images).float() / 127.5 - 1


def to_channels_first(images: Tensor) -> Tensor:
    """Return stored images, [B, H, W] or [B, H, W, 3], as [B, 1, H, W] or [B, 3, H, W]."""
    return images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)


def to_uint8(images: Tensor) -> Tensor:
    """Convert the network's images to stored ones; values outside [−1, 1] are clamped.

    Args:
        images: float [B, 1, H, W] or [B, 3, H, W].

    Returns:
        uint8 [B, H, W] grey, or [B, H, W, 3] in colour.
    """
    stored = images.squeeze(1) if images.shape[1] == 1 else images.permute(0, 2, 3, 1)
    return ((stored.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def make_grid(images: Tensor, columns: int | None = None, scale: int = 1) -> Image.Image:
    """Lay images out in rows with gaps of GRID_GAP, then enlarge without interpolation.

    Args:
        images: uint8 [B, H, W] grey, or [B, H, W, 3] in colour.
        columns: images in a row; by default, the grid is nearly square.
        scale: factor of enlargement.
    """
    count, height, width, *colours = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows, gap = math.ceil(count / columns), GRID_GAP
    size = rows * (height + gap) - gap, columns * (width + gap) - gap
    canvas = np.zeros((*size, *colours), np.uint8)
    for index, image in enumerate(images.cpu().numpy()):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return enlarge(canvas, scale)


def enlarge(image: np.ndarray | Tensor, scale: int) -> Image.Image:
    """Return uint8 [H, W] or [H, W, 3] as a picture, enlarged without interpolation."""
    picture = Image.fromarray(np.asarray(image))
    size = (picture.width * scale, picture.height * scale)
    return picture.resize(size, Image.Resampling.NEAREST)


def name_picture(picture: Image.Image, name: str, settings: Mapping[str, Any]) -> Image.Image:
    """Store the file name and settings in the info of a picture that the page will save."""
    picture.info[SETTINGS_KEY] = json.dumps(dict(settings))
    picture.info[FILE_NAME_KEY] = Path(name)
    return picture


def save_png(picture: Image.Image, target: Path | io.BytesIO, settings: Mapping[str, Any]) -> None:
    """Write a PNG file that carries its settings."""
    info = PngInfo()
    info.add_text(SETTINGS_KEY, json.dumps(dict(settings)))
    picture.save(target, "PNG", pnginfo=info)


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings that a PNG file carries, or an empty dict."""
    with Image.open(path, formats=["PNG"]) as picture:
        return dict(json.loads(picture.info.get(SETTINGS_KEY, "{}")))


def png_url(picture: Image.Image) -> str:
    """Return a picture as a URL that holds it."""
    content = io.BytesIO()
    picture.save(content, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def make_labelled_grid(rows: Mapping[str, Tensor], scale: int = 2) -> Image.Image:
    """Lay out a row of images for each name, after the name.

    Args:
        rows: name → uint8 [B, H, W] or [B, H, W, 3], the same shape for all.
        scale: factor of enlargement.
    """
    strips = [make_grid(images, columns=len(images), scale=scale) for images in rows.values()]
    gap, margin = 2 * scale, 90
    height = strips[0].height + gap
    picture = Image.new(strips[0].mode, (margin + strips[0].width, height * len(strips) - gap))
    draw = ImageDraw.Draw(picture)
    for index, (name, strip) in enumerate(zip(rows, strips, strict=True)):
        draw.text((4, index * height + strip.height // 2 - 6), name, fill="white")
        picture.paste(strip, (margin, index * height))
    return picture
