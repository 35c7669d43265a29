"""Games with the network: blends of two classes, walks between two seeds, drawings made real."""

import numpy as np
import torch
from diffusers import UNet2DModel
from PIL import Image
from torch import Tensor

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
    in_chunks,
    seed_generators,
)

FRAMES = CPU_CHUNK
"""Images of a game: as many as one UNet call takes."""

SETTINGS = SamplingSettings(num_inference_steps=20)
SCALE = 4
MIN_BRIGHTNESS = 8
"""A drawing whose brightest pixel is below this is empty."""


def mix_labels(unet: UNet2DModel, others: Tensor, weights: Tensor) -> Predictor:
    """Return the network as it sees each label mixed with another; one call at a time.

    Args:
        unet: the network, which is the same as before after every call.
        others: int64 [B], the other labels.
        weights: float32 [B], share of the other label, 0 … 1.
    """
    plain = in_chunks(unet)

    def mix(module: torch.nn.Embedding, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        return torch.lerp(output, module.weight[others], weights[:, None])

    def predict(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        hook = unet.class_embedding.register_forward_hook(mix)
        try:
            return plain(x, timesteps, labels)
        finally:
            hook.remove()

    return predict


def blend(demo: Demo, request: BlendRequest, wrap_steps: StepWrapper = iter) -> Image.Image:
    """Return one seed drawn as the first class, then more and more as the second."""
    device = demo.pipeline.device
    names = request.class_names
    first, second = (
        class_label(request.first_class, names),
        class_label(request.second_class, names),
    )
    labels = torch.full((FRAMES,), first, device=device)
    others = torch.full((FRAMES,), second, device=device)
    weights = torch.linspace(0, 1, FRAMES, device=device)
    # Nobody else's rows may be in a call while the embedding is bent.
    predict = demo.unet.alone(mix_labels(demo.pipeline.unet, others, weights))
    noise, seeds = demo.pipeline.scheduler, [request.seed] * FRAMES
    *_, last = wrap_steps(denoise(predict, noise, labels, seeds, SETTINGS, kind=demo.kind))
    return make_grid(to_uint8(last.clean).cpu(), columns=FRAMES, scale=SCALE)


def walk(demo: Demo, request: WalkRequest, wrap_steps: StepWrapper = iter) -> Image.Image:
    """Return a class drawn from the noise of one seed, then more and more from another's."""
    begin, end = draw_noise(seed_generators([request.first_seed, request.second_seed]), demo.kind)
    noise = torch.stack([slerp(begin, end, float(s)) for s in torch.linspace(0, 1, FRAMES)])
    labels = [class_label(request.class_name, request.class_names)] * FRAMES
    made = _draw_images(demo, labels, [request.first_seed] * FRAMES, Start(noise=noise), wrap_steps)
    return make_grid(made, columns=FRAMES, scale=SCALE)


def slerp(one: Tensor, other: Tensor, share: float) -> Tensor:
    """Turn one noise into another on the sphere, so that every step of the way is noise."""
    cosine = torch.nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0)
    angle = torch.arccos(cosine.clamp(-1, 1))
    if angle < 1e-3:
        return one
    return (one * ((1 - share) * angle).sin() + other * (share * angle).sin()) / angle.sin()


def redraw(
    demo: Demo, drawing: np.ndarray, request: RedrawRequest, wrap_steps: StepWrapper = iter
) -> Image.Image:
    """Return a drawing as the network saw it, then seven garments made out of it.

    Args:
        demo: the loaded model.
        drawing: uint8 [H, W], 0 black … 255 white, of any size.
        request: what it shall become, and how much of it is forgotten.
        wrap_steps: ends the request when it must not go on.

    Raises:
        RequestError: the drawing is empty.
    """
    if drawing.size == 0 or drawing.max() < MIN_BRIGHTNESS:
        raise RequestError("The paper is empty; draw a garment, then press the button.")
    side = demo.kind.image_size
    small = Image.fromarray(drawing).resize((side, side), Image.Resampling.BOX)
    small = small.convert("L" if demo.kind.channels == 1 else "RGB")
    image = torch.from_numpy(np.array(small))[None]
    count = FRAMES - 1
    start = Start(
        images=to_model(image).expand(count, -1, -1, -1), strength=float(request.strength)
    )
    labels = [class_label(request.class_name, request.class_names)] * count
    made = _draw_images(demo, labels, list(range(count)), start, wrap_steps)
    return make_grid(torch.cat([image, made]), columns=FRAMES, scale=SCALE)


def _draw_images(
    demo: Demo, labels: list[int], seeds: list[int], start: Start, wrap_steps: StepWrapper
) -> Tensor:
    *_, last = wrap_steps(demo.pipeline.stream(labels, seeds, SETTINGS, start))
    return to_uint8(last.clean).cpu()
