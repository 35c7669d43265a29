"""Draw the golden images: one of each class with three samplers, which any machine must repeat.

python -m tests.tools.golden writes tests/golden.npz: the images, and the machine that drew them.
Run it only after the bundled weights have changed. With --compare it writes nothing and prints how
far this machine's images are from the golden ones.
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
"""A multistep one, one that adds noise at every step, and one that does neither."""

STEPS = 6


def draw(pipeline: FashionDDPMPipeline, sampler: str) -> np.ndarray:
    """Return one image of each class, seed i for class i: uint8 [10, 28, 28]."""
    settings = SamplingSettings("cosine", sampler, STEPS)
    labels = list(range(len(CLASS_NAMES)))
    (batch,) = pipeline.generate(labels, labels, settings)
    return batch.images.numpy()


def machine() -> dict[str, str]:
    """Return what rounding depends on: torch, its CPU capability and the CPU."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().split("\n") if cpuinfo.exists() else []
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "")
    capability = torch.backends.cpu.get_cpu_capability()
    return {"torch": torch.__version__, "capability": capability, "cpu": model or processor()}


def checksums(images: np.ndarray) -> list[str]:
    """Return the sha256 of each image."""
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in images]


def compare(images: dict[str, np.ndarray]) -> None:
    """Print how many pixels differ from the golden ones, and the largest difference."""
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
