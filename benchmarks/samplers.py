"""Image quality and cost of every sampler × schedule × number of steps, from the same seeds.

python -m benchmarks.samplers --data-dir DIR adds missing rows to docs/samplers.json and draws
docs/samplers.png. It can be interrupted and repeated: rows for the same weights and number of
images are kept. Rows say at which commit and by which backend they were measured.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from benchmarks.quality import Reference, load_reference
from fashion_ddpm.core.config import BACKENDS, SAMPLERS, SCHEDULES
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.provenance import current_commit
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.settings import default_data_dir
from fashion_ddpm.demo.quality import MEASURED_SCHEDULE
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, weights_hash
from fashion_ddpm.diffusion.sampling import SamplingSettings, num_evaluations
from fashion_ddpm.runtime.backends import faster_backend

STEPS = (4, 6, 8, 10, 15, 20, 50)


def parse_arguments() -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default=default_data_dir())
    parser.add_argument("--checkpoint", default=BUNDLED_CHECKPOINT)
    parser.add_argument("--num-images", type=int, default=500)
    parser.add_argument("--samplers", nargs="+", default=SAMPLERS, choices=SAMPLERS)
    parser.add_argument("--schedules", nargs="+", default=SCHEDULES, choices=SCHEDULES)
    parser.add_argument("--steps", nargs="+", type=int, default=STEPS)
    parser.add_argument("--backend", default="eager", choices=BACKENDS[1:])
    parser.add_argument("--output", type=Path, default=Path("docs/samplers.json"))
    return parser.parse_args()


def measure_request(
    pipeline: FashionDDPMPipeline, reference: Reference, request: GenerateRequest
) -> dict[str, Any]:
    """Generate the images of a request; return their quality and cost."""
    settings, begin = SamplingSettings.from_request(request), time.monotonic()
    batches = list(pipeline.generate_request(request))
    seconds = time.monotonic() - begin
    images = torch.cat([batch.images for batch in batches])
    return {
        "sampler": request.sampler,
        "schedule": request.schedule,
        "steps": request.num_inference_steps,
        "evaluations": num_evaluations(settings, pipeline.scheduler),
        **reference.measure(images, torch.tensor(request.labels())),
        "ms_per_image": round(1000 * seconds / request.num_images, 1),
    }


def main() -> None:
    """Measure the missing rows, then plot all."""
    arguments = parse_arguments()
    pipeline, reference = load_pipeline(arguments.checkpoint), load_reference(arguments.data_dir)
    if found := faster_backend(pipeline.unet, arguments.backend):
        pipeline.predict = found.predict
    floor = reference.floor(arguments.data_dir, arguments.num_images)
    key_values = {"checkpoint_sha256": weights_hash(pipeline), "num_images": arguments.num_images}
    results = json.loads(arguments.output.read_text()) if arguments.output.exists() else {}
    same = {key: results.get(key) for key in key_values} == key_values
    results = {**key_values, "floor": floor, "rows": results["rows"] if same else []}
    done = {(row["sampler"], row["schedule"], row["steps"]) for row in results["rows"]}
    wanted = list(product(arguments.samplers, arguments.schedules, arguments.steps))
    for sampler, schedule, steps in tqdm([point for point in wanted if point not in done]):
        request = GenerateRequest(
            "all",
            num_images=arguments.num_images,
            schedule=schedule,
            sampler=sampler,
            num_inference_steps=steps,
        )
        measured = measure_request(pipeline, reference, request)
        facts = {"commit": current_commit(), "backend": arguments.backend}
        results["rows"].append(measured | facts)
        arguments.output.write_text(json.dumps(results, indent=1) + "\n")
    save_budgets(results["rows"], floor, arguments.output.with_suffix(".png"))


def save_budgets(rows: Sequence[Mapping[str, Any]], floor: float, path: Path) -> None:
    """Plot distance over cost: samplers on karras, schedules with dpm++2m.

    Args:
        rows: rows with sampler, schedule, evaluations and frechet_distance.
        floor: the distance of as many real images.
        path: the PNG.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    panels = figure.subplots(1, 2)  # the report's schedule would flatten the other panel
    fixed = (("schedule", MEASURED_SCHEDULE, "sampler"), ("sampler", "dpm++2m", "schedule"))
    for axes, (key, value, varied) in zip(panels, fixed, strict=True):
        chosen = [row for row in rows if row[key] == value]
        for name in dict.fromkeys(row[varied] for row in chosen):
            line = sorted(
                (row["evaluations"], row["frechet_distance"])
                for row in chosen
                if row[varied] == name
            )
            axes.plot(*zip(*line, strict=True), marker="o", markersize=3, label=name)
        axes.axhline(floor, color="grey", linestyle=":", label="real images")
        axes.set(xscale="log", yscale="log", xlabel="UNet evaluations an image")
        ticks = sorted({row["evaluations"] for row in chosen})
        axes.set_xticks(ticks, [str(tick) for tick in ticks], fontsize=8)
        axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        axes.set_title(f"{key} {value}")
        axes.legend(fontsize=8)
    panels[0].set_ylabel("Fréchet distance")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
