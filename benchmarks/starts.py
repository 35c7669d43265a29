"""Whether the report's network was bad, or only its start: one network from two starts.

python -m benchmarks.starts --checkpoint DIR --data-dir DIR samples a network trained on the
report's schedule (T = 100, betas 1e-4 … 0.02) from pure noise, as the report did, and from real
validation images noised to the schedule's last level, as in training; the classifier rates both.
"""

import argparse

import torch

from benchmarks.quality import Reference, load_reference
from benchmarks.tables import row, table
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.images import to_model, to_uint8
from fashion_ddpm.core.settings import default_data_dir
from fashion_ddpm.data.fashion_mnist import load_split
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.sampling import NOISE, SamplingSettings, Start

BATCH_SIZE = 100


def draw_samples(
    pipeline: FashionDDPMPipeline, real: LabelledImages, settings: SamplingSettings, is_noised: bool
) -> torch.Tensor:
    """Return one image per real one, of the same class: uint8 [N, 28, 28]."""
    parts = []
    for start in range(0, len(real), BATCH_SIZE):
        chosen = slice(start, start + BATCH_SIZE)
        labels = real.labels[chosen].tolist()
        begin = Start(images=to_model(real.images[chosen])) if is_noised else NOISE
        seeds = range(start, start + len(labels))
        *_, last = pipeline.stream(labels, seeds, settings, begin)
        parts.append(to_uint8(last.clean))
    return torch.cat(parts)


def line(title: str, reference: Reference, images: torch.Tensor, labels: torch.Tensor) -> str:
    """Return a row of the table."""
    scores, mean = reference.measure(images, labels), to_model(images).mean().item()
    accuracy, distance = scores["class_accuracy"], scores["frechet_distance"]
    return row([title, f"{accuracy:.1%}", f"{distance:.3f}", f"{mean:.3f}"])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--data-dir", default=default_data_dir())
    parser.add_argument("--num-images", type=int, default=1_000)
    parser.add_argument("--steps", nargs="+", type=int, default=[100, 50, 20])
    arguments = parser.parse_args()
    pipeline, reference = load_pipeline(arguments.checkpoint), load_reference(arguments.data_dir)
    held_out = load_split(arguments.data_dir, "validation")
    count = arguments.num_images
    real = LabelledImages(held_out.images[:count], held_out.labels[:count], kind=FASHION_MNIST)
    print(table(("images", "class accuracy", "Fréchet distance", "mean pixel")))
    print(line(f"{count:,} real validation images", reference, real.images, real.labels))
    for steps in arguments.steps:
        settings = SamplingSettings("report", "ddpm", steps)
        for title, is_noised in (("pure noise", False), ("noised real images", True)):
            images = draw_samples(pipeline, real, settings, is_noised)
            print(line(f"{steps} steps from {title}", reference, images, real.labels), flush=True)


if __name__ == "__main__":
    main()
