"""A small image folder data set of coloured shapes, for tests."""

import random
from pathlib import Path

from PIL import Image, ImageDraw

SHAPES = ("circle", "square", "triangle")
SIDE = 32


def draw_shape(name: str, seed: int, side: int = SIDE, mode: str = "RGB") -> Image.Image:
    """Return a shape of random colour, size and position on black."""
    rng = random.Random(f"{name} {seed}")
    picture = Image.new(mode, (side, side))
    pen = ImageDraw.Draw(picture)
    colour = tuple(rng.randint(90, 255) for _ in mode)
    radius = rng.uniform(0.2, 0.35) * side
    x, y = (rng.uniform(radius, side - radius) for _ in "xy")
    box = (x - radius, y - radius, x + radius, y + radius)
    if name == "circle":
        pen.ellipse(box, fill=colour)
    elif name == "square":
        pen.rectangle(box, fill=colour)
    else:
        pen.polygon([(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)], colour)
    return picture


def write_shapes(folder: Path, per_class: int, side: int = SIDE, mode: str = "RGB") -> Path:
    """Write class folders of shapes into a folder; return it."""
    for name in SHAPES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for seed in range(per_class):
            draw_shape(name, seed, side, mode).save(folder / name / f"{seed:04d}.png")
    return folder
