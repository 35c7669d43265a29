"""Image quality of sampling methods that need no training.

Noise levels, autoguidance, SDE samplers and restarts: python -m benchmarks.sampling_gains
--data-dir DIR adds the missing rows of SETTINGS to --output, and with --guide FOLDER rows of
autoguidance by the checkpoint in FOLDER. It can be interrupted and repeated: images are kept, and a
larger number costs only the new ones. Settings are chosen on the validation split; --reference test
judges the chosen one.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from benchmarks.quality import Reference, load_reference
from fashion_ddpm.core.image_kind import ALL_CLASSES, FASHION_MNIST
from fashion_ddpm.core.images import to_uint8
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.settings import default_data_dir
from fashion_ddpm.data.fashion_mnist import load_split
from fashion_ddpm.diffusion.loss import Predictor
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, weights_hash
from fashion_ddpm.diffusion.sampling import (
    PartialTrajectory,
    SamplingSettings,
    denoise,
    draw_noise,
    seed_generators,
)
from fashion_ddpm.evaluation.metrics import neighbourhoods
from fashion_ddpm.runtime.backends import openvino_predictor

COMMITS = {"440k": "d3da767", "940k": "f4b698a", "1790k": "c4b71ed"}
"""Training images of an earlier network → the commit that bundled it."""

BLOCK_SIZE = 200
"""Images per file, a multiple of the batch size."""

RESTART_SIGMA = 0.42
"""EDM's 0.30 for data of deviation 0.5 (Xu et al., 2023, arXiv 2306.14878), scaled to 0.71."""

REAL_IMAGES = "real images"


@dataclass(frozen=True)
class Setting:
    """How to sample.

    Attributes:
        sampler: as in SamplingSettings, or REAL_IMAGES for training images, the floor.
        schedule, steps: as in SamplingSettings.
        guide, scale: the network of autoguidance, a key of COMMITS or a folder, and its w.
        restarts: how often an image is noised to RESTART_SIGMA and denoised again.
    """

    sampler: str = "dpm++2m"
    schedule: str = "sigmoid"
    steps: int = 20
    guide: str = ""
    scale: float = 1.0
    restarts: int = 0


SETTINGS = (
    Setting(REAL_IMAGES),
    *(Setting(steps=steps) for steps in (10, 20, 40)),
    Setting(schedule="cosine"),
    *(Setting("dpm++2m-sde", steps=steps) for steps in (20, 40)),
    *(Setting(guide=guide, scale=1.5) for guide in COMMITS),
    *(Setting(guide="1790k", scale=scale) for scale in (1.25, 2.0)),
    Setting(steps=10, guide="1790k", scale=1.5),
    Setting(steps=10, restarts=1),
    Setting(steps=6),
    *(Setting(schedule="karras", steps=steps) for steps in (6, 10, 20)),
)


@cache
def load_network(guide: str = "") -> FashionDDPMPipeline:
    """Load the bundled network, or a guide: of a folder or of the repository's history."""
    if guide not in COMMITS:
        return load_pipeline(guide or BUNDLED_CHECKPOINT)
    with tempfile.TemporaryDirectory() as folder:
        packed = f"{folder}/packed.tar"
        inside = "checkpoints/fashion-mnist"
        subprocess.run(["git", "archive", "-o", packed, COMMITS[guide], inside], check=True)
        shutil.unpack_archive(packed, folder, filter="data")
        return load_pipeline(f"{folder}/{inside}")


@cache
def load_predictor(guide: str = "") -> Predictor:
    """Return an OpenVINO predictor of the bundled network or of a guide."""
    return openvino_predictor(load_network(guide).unet)


def autoguide(predict: Predictor, guide: Predictor, scale: float) -> Predictor:
    """Return a predictor whose x_0 is guide + scale · (network − guide).

    Autoguidance (Karras et al., 2024, arXiv 2406.02507): away from a weaker network. At one noise
    level x_0 is linear in the output, so the outputs can be combined.

    Args:
        predict: the network.
        guide: a weaker one, trained on the same noise schedule to predict the same quantity.
        scale: w; 1.0 is off.
    """

    def predict_guided(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        weaker = guide(x, timesteps, labels)
        return weaker + scale * (predict(x, timesteps, labels) - weaker)

    return predict_guided


def draw_images(setting: Setting, labels: Tensor, seeds: Sequence[int]) -> tuple[Tensor, int]:
    """Return images, uint8 [B, 28, 28], and the network evaluations per image."""
    settings = SamplingSettings(setting.schedule, setting.sampler, setting.steps)
    predict = load_predictor()
    if setting.guide:
        predict = autoguide(predict, load_predictor(setting.guide), setting.scale)
    sample = partial(
        denoise, predict, load_network().scheduler, labels, seeds, settings, kind=FASHION_MNIST
    )
    steps = list(sample())
    generators = seed_generators(seeds)
    draw_noise(generators, kind=FASHION_MNIST)  # skip the noise that sample() has used
    alpha_bar = 1 / (1 + RESTART_SIGMA**2)
    for _ in range(setting.restarts):
        noisy = alpha_bar**0.5 * steps[-1].clean + (1 - alpha_bar) ** 0.5 * draw_noise(
            generators, kind=FASHION_MNIST
        )
        steps += sample(PartialTrajectory(noisy, alpha_bar))
    return to_uint8(steps[-1].clean), len(steps) * (2 if setting.guide else 1)


def load_images(setting: Setting, folder: Path, request: GenerateRequest) -> tuple[Tensor, int]:
    """Return a request's images, drawn or from files, and their evaluations."""
    blocks = []
    name = "_".join(map(str, asdict(setting).values())).replace("/", "-")
    for index, part in enumerate(tqdm(torch.tensor(request.labels()).split(BLOCK_SIZE), desc=name)):
        first = request.seed + index * BLOCK_SIZE
        path = folder / f"{name}-{first}-{len(part)}.npz"
        if not path.exists():
            images, evaluations = draw_images(setting, part, range(first, first + len(part)))
            np.savez_compressed(path, images=images.numpy(), evaluations=evaluations)
        blocks.append(np.load(path))
    joined = np.concatenate([block["images"] for block in blocks])
    return torch.from_numpy(joined), int(blocks[0]["evaluations"])


def measure(setting: Setting, flags: argparse.Namespace, reference: Reference) -> dict[str, Any]:
    """Return the cost of a setting and the quality of its images."""
    request = GenerateRequest(ALL_CLASSES, num_images=flags.num_images, seed=flags.first_seed)
    labels = request.labels()
    if setting.sampler == REAL_IMAGES:
        # The same number of each class as generated: random classes would raise the floor.
        train = load_split(flags.data_dir, "train")
        of_each = [train.select_class(label) for label in range(len(train.kind.class_names))]
        images = torch.stack([of_each[label][i // len(of_each)] for i, label in enumerate(labels)])
        evaluations = 0
    else:
        images, evaluations = load_images(setting, flags.images_dir, request)
    near = neighbourhoods(reference.classifier.features(images), reference.features)
    return {
        "evaluations": evaluations,
        **reference.measure(images, torch.tensor(labels)),
        "precision": near.precision,
        "recall": near.recall,
        "black_pixels": (images == 0).float().mean().item(),
    }


def parse_arguments() -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default=default_data_dir())
    parser.add_argument("--reference", default="validation", choices=("validation", "test"))
    parser.add_argument("--num-images", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--settings", nargs="+", type=int, help="indices in SETTINGS; all of them")
    parser.add_argument("--guide", help="a checkpoint: only autoguidance by it is measured")
    parser.add_argument("--scales", nargs="+", type=float, default=[1.5], help="w of --guide")
    parser.add_argument("--steps", type=int, default=20, help="of --guide")
    parser.add_argument("--images-dir", type=Path, default=Path("runs/sampling-gains"))
    parser.add_argument("--output", type=Path, default=Path("docs/sampling-gains.json"))
    return parser.parse_args()


def main() -> None:
    """Measure the missing rows."""
    flags = parse_arguments()
    checksum = weights_hash(load_network())
    flags.images_dir = flags.images_dir / checksum[:12]
    flags.images_dir.mkdir(parents=True, exist_ok=True)
    reference = load_reference(flags.data_dir, flags.reference)
    found = json.loads(flags.output.read_text()) if flags.output.exists() else {}
    if found.get("checkpoint_sha256") != checksum:
        found = {"checkpoint_sha256": checksum, "rows": []}
    settings = [SETTINGS[index] for index in flags.settings or range(len(SETTINGS))]
    if flags.guide:
        settings = [Setting(steps=flags.steps, guide=flags.guide, scale=w) for w in flags.scales]
    for setting in settings:
        row = asdict(setting) | {
            name: getattr(flags, name) for name in ("first_seed", "num_images", "reference")
        }
        if not any(row.items() <= known.items() for known in found["rows"]):
            found["rows"].append(row | measure(setting, flags, reference))
            flags.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
