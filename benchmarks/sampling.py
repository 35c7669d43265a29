"""Time and quality of 16 images: this repository beside plain diffusers code.

python -m benchmarks.sampling --data-dir DIR times 16 images and measures the Fréchet distance of
more of them, for the page's presets and for plain diffusers code: DDIM in 50 steps and DDPM in
1000. The table goes into docs/speed.md, with a separate section for --backend openvino. Run it on
an idle machine; the distance of DDPM takes longer than all the rest: --no-ddpm-distance skips it.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel
from torch import Tensor
from tqdm import tqdm

from benchmarks.quality import Reference, load_reference
from benchmarks.tables import machine_and_commit, section_title, table, write_section
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
DDIM, DDPM = "plain diffusers, DDIM", "plain diffusers, DDPM"

COLUMNS = (
    *("how", "steps", "seconds for 16 images", "as fast as DDIM", "Fréchet distance"),
    *("beside DDIM's", "class accuracy"),
)

Draw = Callable[[Sequence[int], int], Tensor]
"""(B labels, first seed) → uint8 [B, 28, 28]."""


@dataclass(frozen=True)
class Method:
    """A way to generate images."""

    name: str
    steps: int
    draw: Draw


@dataclass(frozen=True)
class Row:
    """Time and, unless it was skipped, image quality of a method."""

    method: Method
    seconds: float
    scores: dict[str, float]


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


def diffusers_method(
    checkpoint: Path, kind: type[DDIMScheduler] | type[DDPMScheduler], steps: int
) -> Draw:
    """Return the loop that diffusers' documentation shows, float32, with labels."""
    unet = UNet2DModel.from_pretrained(checkpoint, subfolder="unet", dtype=torch.float32)
    scheduler = kind.from_pretrained(checkpoint, subfolder="scheduler")

    @torch.no_grad()
    def draw(labels: Sequence[int], seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        scheduler.set_timesteps(steps)
        images, classes = torch.randn(len(labels), 1, 28, 28, generator=generator), list(labels)
        for timestep in scheduler.timesteps:
            output = unet(images, timestep, torch.tensor(classes)).sample
            images = scheduler.step(output, timestep, images, generator=generator).prev_sample
        return to_uint8(images.clamp(-1, 1))

    return draw


def all_methods(checkpoint: Path, backend: str) -> list[Method]:
    """Return all methods, with the distilled network if it is bundled."""
    methods = [Method(DDIM, 50, diffusers_method(checkpoint, DDIMScheduler, 50))]
    for name, settings in PRESETS.items():
        steps = settings.num_inference_steps
        methods.append(Method(f"ours, {name}", steps, our_method(checkpoint, settings, backend)))
    if TURBO.exists():
        for steps in TURBO_STEPS:
            settings = SamplingSettings(TURBO_SCHEDULE, "turbo", steps)
            methods.append(Method("ours, Turbo", steps, our_method(TURBO, settings, backend)))
    return [*methods, Method(DDPM, 1000, diffusers_method(checkpoint, DDPMScheduler, 1000))]


def median_seconds(method: Method, repeats: int) -> float:
    """Return the median time of 16 images after a warm-up; DDPM is timed once, without one."""
    labels, times = GenerateRequest("all", num_images=NUM_TIMED_IMAGES).labels(), []
    if method.name != DDPM:
        method.draw(labels, 0)
    for _ in range(1 if method.name == DDPM else repeats):
        begin = time.perf_counter()
        method.draw(labels, 0)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def measure_quality(method: Method, reference: Reference, count: int) -> dict[str, float]:
    """Return the Fréchet distance and the class accuracy of `count` images."""
    labels = GenerateRequest("all", num_images=count).labels()
    starts = tqdm(range(0, count, NUM_TIMED_IMAGES), desc=f"{method.name}, {method.steps} steps")
    images = torch.cat([method.draw(labels[start:][:NUM_TIMED_IMAGES], start) for start in starts])
    return reference.measure(images, torch.tensor(labels))


def table_cells(row: Row, ddim: Row) -> list[str]:
    """Return a row of the table."""
    numbers = [row.method.name, str(row.method.steps), f"{row.seconds:.2f}"]
    numbers.append(f"{ddim.seconds / row.seconds:.1f} ×")
    if not row.scores:
        return [*numbers, "", "", ""]
    distance, accuracy = row.scores["frechet_distance"], row.scores["class_accuracy"]
    relative = distance / ddim.scores["frechet_distance"] - 1
    return [*numbers, f"{distance:.3f}", f"{relative:+.0%}", f"{accuracy:.1%}"]


def parse_arguments() -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default=default_data_dir())
    parser.add_argument("--checkpoint", type=Path, default=BUNDLED_CHECKPOINT)
    parser.add_argument("--num-images", type=int, default=500, help="for the distance")
    parser.add_argument("--repeats", type=int, default=9, help="of the timed 16 images")
    parser.add_argument("--no-ddpm-distance", action="store_true")
    parser.add_argument("--backend", default="eager", choices=BACKENDS, help="of ours")
    parser.add_argument("--output", type=Path, default=Path("docs/speed.md"))
    return parser.parse_args()


def main() -> None:
    """Measure, print the table and write it."""
    arguments = parse_arguments()
    reference, count = load_reference(arguments.data_dir), arguments.num_images
    floor = reference.floor(arguments.data_dir, count)
    rows = []
    for method in all_methods(arguments.checkpoint, arguments.backend):
        unmeasured = method.name == DDPM and arguments.no_ddpm_distance
        scores = {} if unmeasured else measure_quality(method, reference, count)
        rows.append(Row(method, median_seconds(method, arguments.repeats), scores))
    text = (
        f"`python -m benchmarks.sampling --backend {arguments.backend}`, distance over {count:,} "
        f"images against the test split (as many real training images: {floor:.3f}), time: "
        f"median of {arguments.repeats}; {machine_and_commit()}."
        f"\n\n{table(COLUMNS, [table_cells(row, rows[0]) for row in rows])}"
    )
    write_section(arguments.output, section_title(TITLE, arguments.backend), text)


if __name__ == "__main__":
    main()
