"""Draws the golden images: one of each class with three samplers, which any machine must repeat.

python -m tests.tools.golden writes tests/golden.npz: the images, and on what they were drawn. Run
it after the bundled weights have changed, and after nothing else. With --compare it writes nothing
and says how far this machine's images are from the golden ones.
"""

import argparse
import hashlib
import json
from pathlib import Path
from platform import processor

import numpy as np
import torch

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, weights_hash
from fashion_ddpm.diffusion.sampling import SamplingSettings
from tests.tools import MINI_DATA

GOLDEN = MINI_DATA.parent / "golden.npz"
SAMPLERS = ("dpm++2m", "ddpm", "euler")
"""One that looks back, one that adds noise at every step, one that does neither."""

STEPS = 6


def draw(pipeline: FashionDDPMPipeline, sampler: str) -> np.ndarray:
    """Return one image of each class, seed i for class i: uint8 [10, 28, 28]."""
    settings = SamplingSettings(sampler=sampler, num_inference_steps=STEPS)
    labels = list(range(len(CLASS_NAMES)))
    (batch,) = pipeline.generate(labels, labels, settings)
    return batch.images.numpy()


def machine() -> dict[str, str]:
    """Return what the last bits of an image depend on: the library's kernels and the CPU."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().split("\n") if about.exists() else []
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "")
    capability = torch.backends.cpu.get_cpu_capability()
    return {"torch": torch.__version__, "capability": capability, "cpu": model or processor()}


def checksums(images: np.ndarray) -> list[str]:
    """Return the sha256 of each image."""
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in images]


def compare(images: dict[str, np.ndarray]) -> None:
    """Print how many pixels differ from the golden ones, and by how much at most."""
    with np.load(GOLDEN, allow_pickle=False) as arrays:
        for sampler, drawn in images.items():
            distance = np.abs(drawn.astype(int) - arrays[sampler])
            print(f"{sampler}: {(distance > 0).sum()} of {drawn.size:,}, by {distance.max()}")


def main() -> None:
    """Write the file, or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compare", action="store_true")
    comparing = parser.parse_args().compare
    pipeline = load_pipeline(BUNDLED_CHECKPOINT)
    images = {sampler: draw(pipeline, sampler) for sampler in SAMPLERS}
    if comparing:
        print(f"on {machine()}, {torch.get_num_threads()} threads")
        compare(images)
        return
    about = {
        "weights": weights_hash(pipeline),
        "machine": machine(),
        "sha256": {sampler: checksums(drawn) for sampler, drawn in images.items()},
    }
    np.savez_compressed(GOLDEN, about=np.array(json.dumps(about)), **images)  # type: ignore[arg-type]
    print(f"{GOLDEN}: drawn on {machine()}")


if __name__ == "__main__":
    main()
