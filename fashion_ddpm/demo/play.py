"""Games with the network: blends of two classes, walks between two seeds, drawings made real."""

import base64
import io
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DModel
from PIL import Image, ImageDraw, ImageOps
from torch import Tensor

from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.images import make_grid, to_model, to_uint8
from fashion_ddpm.core.requests import RequestError, class_label
from fashion_ddpm.demo.engine import Demo, StepWrapper
from fashion_ddpm.demo.game_requests import BlendRequest, RedrawRequest, WalkRequest
from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.sampling import (
    CPU_CHUNK,
    SamplingSettings,
    Start,
    denoise,
    draw_noise,
    seed_generators,
    unet_predictor,
)
from fashion_ddpm.scoring.clip_baseline import load_real_sample

FRAMES = CPU_CHUNK
"""Images of a game: one UNet call."""

SETTINGS = SamplingSettings("cosine", num_inference_steps=20)
SCALE = 4
MIN_BRIGHTNESS = 8
"""A drawing without a brighter pixel is empty, 0 … 255."""

PNG_URL = "data:image/png;base64,"

SILHOUETTE_INDEX = 18
"""Which of a class's real test images; this one has a clear outline in every class."""

SILHOUETTE_THRESHOLD = 20
"""Brighter pixels belong to the garment, 0 … 255."""


def mix_labels(unet: UNet2DModel, others: Tensor, weights: Tensor) -> Predictor:
    """Return a predictor that interpolates each label's embedding with another one's.

    Args:
        unet: the network; its class embedding has a hook during each call.
        others: int64 [B], the other labels.
        weights: float32 [B], share of the other label, 0 … 1.
    """
    predict_chunks = unet_predictor(unet)

    def mix(module: torch.nn.Embedding, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        return torch.lerp(output, module.weight[others], weights[:, None])

    def predict(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        hook = unet.class_embedding.register_forward_hook(mix)
        try:
            return predict_chunks(x, timesteps, labels)
        finally:
            hook.remove()

    return predict


def blend(demo: Demo, request: BlendRequest, wrap_steps: StepWrapper = iter) -> Image.Image:
    """Draw one seed as the first class, then increasingly as the second."""
    device = demo.pipeline.device
    labels, others = (
        torch.full((FRAMES,), class_label(name, request.class_names), device=device)
        for name in (request.first_class, request.second_class)
    )
    weights = torch.linspace(0, 1, FRAMES, device=device)
    # The hook changes the shared network, so no other request may be in the same call.
    predict = demo.unet.without_batching(mix_labels(demo.pipeline.unet, others, weights))
    seeds = [request.seed] * FRAMES
    steps = denoise(predict, demo.pipeline.scheduler, labels, seeds, SETTINGS, kind=demo.kind)
    *_, last = wrap_steps(steps)
    return make_grid(to_uint8(last.clean).cpu(), columns=FRAMES, scale=SCALE)


def walk(demo: Demo, request: WalkRequest, wrap_steps: StepWrapper = iter) -> Image.Image:
    """Draw a class from the noise of one seed, then increasingly from another's."""
    begin, end = draw_noise(seed_generators([request.first_seed, request.second_seed]), demo.kind)
    noise = torch.stack([slerp(begin, end, float(s)) for s in torch.linspace(0, 1, FRAMES)])
    labels = [class_label(request.class_name, request.class_names)] * FRAMES
    seeds = [request.first_seed] * FRAMES
    images = _draw_images(demo, labels, seeds, Start(noise=noise), wrap_steps)
    return make_grid(images, columns=FRAMES, scale=SCALE)


def slerp(one: Tensor, other: Tensor, share: float) -> Tensor:
    """Interpolate two noise tensors on the sphere, which keeps the norm of noise."""
    cosine = torch.nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0)
    angle = torch.arccos(cosine.clamp(-1, 1))
    if angle < 1e-3:
        return one
    return (one * ((1 - share) * angle).sin() + other * (share * angle).sin()) / angle.sin()


def redraw(
    demo: Demo, drawing: np.ndarray, request: RedrawRequest, wrap_steps: StepWrapper = iter
) -> Image.Image:
    """Return a drawing as the network sees it, then seven images drawn from it.

    Args:
        demo: the loaded model.
        drawing: uint8 [H, W], 0 black … 255 white, of any size.
        request: its class, and how strongly it is redrawn.
        wrap_steps: raises when the request must end.
    """
    side = demo.kind.image_size
    small = Image.fromarray(drawing).resize((side, side), Image.Resampling.BOX)
    small = small.convert("L" if demo.kind.channels == 1 else "RGB")
    image = torch.from_numpy(np.array(small))[None]
    count = FRAMES - 1
    start = Start(
        images=to_model(image).expand(count, -1, -1, -1), strength=float(request.strength)
    )
    labels = [class_label(request.class_name, request.class_names)] * count
    images = _draw_images(demo, labels, list(range(count)), start, wrap_steps)
    return make_grid(torch.cat([image, images]), columns=FRAMES // 2, scale=SCALE)


def read_drawing(sketch: Any, side: int) -> np.ndarray:
    """Return the drawing that the sketch pad sent.

    Args:
        sketch: {"drawing": the URL of a PNG picture, "" while nothing was drawn}.
        side: width and height of the sketch pad in pixels.

    Returns:
        uint8 [side, side], 0 black … 255 white; [0, 0] while nothing was drawn.

    Raises:
        RequestError: it is no such picture.
    """
    try:
        url = sketch["drawing"]
        if url == "":
            return np.zeros((0, 0), np.uint8)
        content = base64.b64decode(url.removeprefix(PNG_URL), validate=True)
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            if picture.size != (side, side):
                raise ValueError(f"the side is not {side} pixels")
            return np.asarray(picture.convert("L"))
    except Exception as error:  # decoders raise many kinds of errors
        raise RequestError(
            "The drawing cannot be read; it must be what the page's sketch pad sends."
        ) from error


def is_empty(drawing: np.ndarray) -> bool:
    """Return whether nothing was drawn: uint8 [H, W], 0 black … 255 white."""
    return drawing.size == 0 or drawing.max() < MIN_BRIGHTNESS


def silhouettes(kind: ImageKind, side: int) -> dict[str, Image.Image]:
    """Return a filled silhouette of a real test image of each class; none for other images.

    Args:
        kind: the kind of images of the network.
        side: width and height of the silhouettes in pixels.

    Returns:
        Class name → greyscale picture of the given side, 255 inside and 0 outside.
    """
    if not kind.is_fashion_mnist:
        return {}
    real = load_real_sample()
    images = [real.select_class(label)[SILHOUETTE_INDEX] for label in range(kind.null_label)]
    shapes = [_fill(Image.fromarray(image.numpy())) for image in images]
    smooth = [shape.resize((side, side), Image.Resampling.BICUBIC) for shape in shapes]
    return {
        name: shape.point(lambda value: 255 * (value > 127))
        for name, shape in zip(kind.class_names, smooth, strict=True)
    }


def _fill(image: Image.Image) -> Image.Image:
    """Return 0 for what the dark background reaches from a corner, and 255 for all else."""
    mask = image.point(lambda value: 255 * (value > SILHOUETTE_THRESHOLD))
    framed = ImageOps.expand(mask, 1)  # so that the background is connected
    ImageDraw.floodfill(framed, (0, 0), value=128)
    return ImageOps.crop(framed, 1).point(lambda value: 255 * (value != 128))


def _draw_images(
    demo: Demo, labels: list[int], seeds: list[int], start: Start, wrap_steps: StepWrapper
) -> Tensor:
    *_, last = wrap_steps(demo.pipeline.stream(labels, seeds, SETTINGS, start))
    return to_uint8(last.clean).cpu()
