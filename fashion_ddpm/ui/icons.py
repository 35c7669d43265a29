"""Small pictures in style sheets: a real image for each class, a curve for each schedule."""

import base64
import io
from urllib.parse import quote

import numpy as np
from diffusers import DDPMScheduler
from PIL import Image

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.demo.engine import Demo, offered_schedules
from fashion_ddpm.diffusion.schedules import noise_levels
from fashion_ddpm.scoring.clip_baseline import load_real_sample

CURVE_STEPS = 24
"""Steps of the curve in a schedule's icon."""


def menu_icons(demo: Demo) -> str:
    """Return CSS with a real image for each class, and a curve for each schedule."""
    rules = []
    if demo.kind.is_fashion_mnist:
        real = load_real_sample()
        for label, name in enumerate(CLASS_NAMES):
            url = png_url(Image.fromarray(real.select_class(label)[0].numpy()))
            choice = f'#class-menu label:has([value="{name}"])::before'
            rules.append(f'{choice} {{ background-image: url("{url}") }}')
    for name in offered_schedules(demo):
        url = _curve_url(name, demo.pipeline.scheduler)
        choice = f'#schedule-menu label:has([value="{name}"])::before'
        rules.append(f'{choice} {{ mask-image: url("{url}") }}')
    return "\n".join(rules)


def png_url(picture: Image.Image) -> str:
    """Return a picture as a URL that holds it."""
    content = io.BytesIO()
    picture.save(content, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _curve_url(schedule: str, noise_scheduler: DDPMScheduler) -> str:
    """Return a picture of a schedule's curve, 40 by 22 pixels, as a URL that holds it.

    From left to right the steps; from bottom to top the image's amplitude, √ᾱ from 0 to 1.
    """
    amplitude = noise_levels(schedule, CURVE_STEPS, noise_scheduler).alpha_bar ** 0.5
    points = " ".join(
        f"{1 + 38 * position:.1f},{20 - 18 * height:.1f}"
        for position, height in zip(np.linspace(0, 1, CURVE_STEPS), amplitude, strict=True)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 22">'
        f'<polyline points="{points}" fill="none" stroke="black" stroke-width="2"/>'
        '<path d="M1 21H39" stroke="black" stroke-width="0.7"/></svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"
