"""Time and quality of 16 images: this repository beside plain diffusers code.

python -m benchmarks.sampling --data-dir DIR times 16 images of the page's presets, by each backend,
and of plain diffusers code, DDIM in 50 steps. It measures the Fréchet distance of more images, ours
by the last backend. The table goes into docs/speed.md. Run it on an idle machine.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDIMScheduler, UNet2DModel
from torch import Tensor
from tqdm import tqdm

from benchmarks.quality import Reference, load_reference
from benchmarks.tables import machine_and_commit, table, write_section
from fashion_ddpm.core.config import BACKENDS, TURBO_SCHEDULE
from fashion_ddpm.core.images import to_uint8
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT, BUNDLED_DIR
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.settings import default_data_dir
from fashion_ddpm.demo.engine import PRESETS
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.runtime.backends import faster_backend

NUM_TIMED_IMAGES = 16
TITLE = "Sixteen images"
TURBO = BUNDLED_DIR / "fashion-mnist-turbo"
TURBO_STEPS = (4, 2, 1)
DDIM_STEPS = 50

Draw = Callable[[Sequence[int], int], Tensor]
"""(B labels, first seed) → uint8 [B, 28, 28]."""


@dataclass(frozen=True)
class Method:
    """A way to generate images.

    Attributes:
        name: what the table calls it.
        steps: evaluations of the network.
        draws: backend → function that generates.
    """

    name: str
    steps: int
    draws: Mapping[str, Draw]


@dataclass(frozen=True)
class Row:
    """Time by backend and image quality of a method."""

    method: Method
    seconds: Mapping[str, float]
    scores: Mapping[str, float]


def our_method(checkpoint: Path, settings: SamplingSettings, backend: str) -> Draw:
    """Return this repository's method."""
    pipeline = load_pipeline(checkpoint)
    if found := faster_backend(pipeline.unet, backend):
        pipeline.predict = found.predict

    def draw(labels: Sequence[int], seed: int) -> Tensor:
        seeds = range(seed, seed + len(labels))
        return torch.cat(
            [batch.images for batch in pipeline.generate(labels, seeds, settings, NUM_TIMED_IMAGES)]
        )

    return draw


def plain_ddim(checkpoint: Path) -> Draw:
    """Return the loop that diffusers' documentation shows, float32, with labels."""
    unet = UNet2DModel.from_pretrained(checkpoint, subfolder="unet", dtype=torch.float32)
    scheduler = DDIMScheduler.from_pretrained(checkpoint, subfolder="scheduler")

    @torch.no_grad()
    def draw(labels: Sequence[int], seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        scheduler.set_timesteps(DDIM_STEPS)
        images, classes = torch.randn(len(labels), 1, 28, 28, generator=generator), list(labels)
        for timestep in scheduler.timesteps:
            output = unet(images, timestep, torch.tensor(classes)).sample
            images = scheduler.step(output, timestep, images, generator=generator).prev_sample
        return to_uint8(images.clamp(-1, 1))

    return draw


def all_methods(checkpoint: Path, backends: Sequence[str]) -> list[Method]:
    """Return all methods, DDIM first, with the distilled network if it is bundled."""
    chosen = [(name, checkpoint, settings) for name, settings in PRESETS.items()]
    if TURBO.exists():
        turbo = [SamplingSettings(TURBO_SCHEDULE, "turbo", steps) for steps in TURBO_STEPS]
        chosen += [("Turbo", TURBO, settings) for settings in turbo]
    methods = [Method("plain diffusers, DDIM", DDIM_STEPS, {"eager": plain_ddim(checkpoint)})]
    for name, folder, settings in chosen:
        draws = {each: our_method(folder, settings, each) for each in backends}
        methods.append(Method(f"ours, {name}", settings.num_inference_steps, draws))
    return methods


def median_seconds(draw: Draw, repeats: int) -> float:
    """Return the median time of 16 images after a warm-up."""
    labels, times = GenerateRequest("all", num_images=NUM_TIMED_IMAGES).labels(), []
    for _ in range(1 + repeats):
        begin = time.perf_counter()
        draw(labels, 0)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def measure_quality(method: Method, reference: Reference, count: int) -> dict[str, float]:
    """Return the Fréchet distance and the class accuracy of `count` images."""
    *_, draw = method.draws.values()
    labels = GenerateRequest("all", num_images=count).labels()
    starts = tqdm(range(0, count, NUM_TIMED_IMAGES), desc=f"{method.name}, {method.steps} steps")
    images = torch.cat([draw(labels[start:][:NUM_TIMED_IMAGES], start) for start in starts])
    return reference.measure(images, torch.tensor(labels))


def table_cells(row: Row, ddim: Row, backends: Sequence[str]) -> list[str]:
    """Return a row of the table."""
    cells = [row.method.name, str(row.method.steps)]
    for backend in backends:
        seconds = row.seconds.get(backend)
        ratio = f"{ddim.seconds['eager'] / seconds:.1f} ×" if seconds else ""
        cells += [f"{seconds:.2f}" if seconds else "", ratio]
    distance, accuracy = row.scores["frechet_distance"], row.scores["class_accuracy"]
    relative = distance / ddim.scores["frechet_distance"] - 1
    return [*cells, f"{distance:.3f}", f"{relative:+.0%}", f"{accuracy:.1%}"]


def parse_arguments() -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default=default_data_dir())
    parser.add_argument("--checkpoint", type=Path, default=BUNDLED_CHECKPOINT)
    parser.add_argument("--num-images", type=int, default=500, help="for the distance")
    parser.add_argument("--repeats", type=int, default=9, help="of the timed 16 images")
    parser.add_argument(
        "--backends", nargs="+", default=BACKENDS[1:], choices=BACKENDS[1:], help="of ours"
    )
    parser.add_argument("--output", type=Path, default=Path("docs/speed.md"))
    return parser.parse_args()


def main() -> None:
    """Measure, print the table and write it."""
    arguments = parse_arguments()
    reference, count = load_reference(arguments.data_dir), arguments.num_images
    floor, repeats = reference.floor(arguments.data_dir, count), arguments.repeats
    rows = []
    for method in all_methods(arguments.checkpoint, arguments.backends):
        seconds = {each: median_seconds(draw, repeats) for each, draw in method.draws.items()}
        rows.append(Row(method, seconds, measure_quality(method, reference, count)))
    timed = [column for each in arguments.backends for column in (each, "as fast as DDIM")]
    columns = ["how", "steps", *timed, "Fréchet distance", "beside DDIM's", "class accuracy"]
    cells = [table_cells(row, rows[0], arguments.backends) for row in rows]
    text = (
        f"`python -m benchmarks.sampling`: seconds for 16 images, median of {repeats}, DDIM's by "
        f"eager PyTorch; distance over {count:,} images, ours by the last backend, against the "
        f"test split (as many real training images: {floor:.3f}); {machine_and_commit()}."
        f"\n\n{table(columns, cells)}"
    )
    write_section(arguments.output, TITLE, text)


if __name__ == "__main__":
    main()
