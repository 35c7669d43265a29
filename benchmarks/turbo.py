"""The distilled network beside its teacher in few steps, from the same seeds.

python -m benchmarks.turbo --data-dir DIR prints a table. --distilled names a network that is not
bundled yet, --schedules its noise levels (the teacher's are karras); --reference validation is
for choosing settings.
"""

import argparse
from itertools import product

from benchmarks.quality import load_reference
from benchmarks.samplers import measure_request
from benchmarks.tables import machine_and_commit, row, table
from fashion_ddpm.checkpoints.locate import distilled_folder, read_run
from fashion_ddpm.core.config import SCHEDULES, TURBO, TURBO_SCHEDULE
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.settings import default_data_dir
from fashion_ddpm.diffusion.pipeline import load_pipeline

TEACHER_SAMPLERS = ("dpm++2m", "ddim", "ddpm")
COLUMNS = (
    *("network", "sampler", "schedule", "steps"),
    *("Fréchet distance", "class accuracy", "ms an image"),
)


def parse_arguments() -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default=default_data_dir())
    parser.add_argument("--checkpoint", default=BUNDLED_CHECKPOINT, help="the teacher")
    parser.add_argument("--distilled", help="default: the folder beside the teacher")
    parser.add_argument("--num-images", type=int, default=1_000)
    parser.add_argument("--reference", default="test", choices=("test", "validation"))
    parser.add_argument("--schedules", nargs="+", default=[TURBO_SCHEDULE], choices=SCHEDULES)
    parser.add_argument("--steps", nargs="+", type=int, default=(1, 2, 4))
    parser.add_argument("--only-distilled", action="store_true", help="leave the teacher out")
    return parser.parse_args()


def table_settings(arguments: argparse.Namespace) -> list[tuple[str, str, int]]:
    """Return sampler, schedule and steps of each row."""
    rows = list(product([TURBO], arguments.schedules, arguments.steps))
    if not arguments.only_distilled:
        schedule = GenerateRequest.schedule
        rows += [*product(TEACHER_SAMPLERS, [schedule], arguments.steps), ("dpm++2m", schedule, 20)]
    return rows


def main() -> None:
    """Measure row by row."""
    arguments = parse_arguments()
    folder = arguments.distilled or distilled_folder(arguments.checkpoint)
    teacher, distilled = load_pipeline(arguments.checkpoint), load_pipeline(folder)
    networks = {"teacher": teacher, "distilled": distilled.network_for(TURBO)}
    reference, count = load_reference(arguments.data_dir, arguments.reference), arguments.num_images
    floor = reference.floor(arguments.data_dir, count)
    print(
        f"{count:,} images, seeds 0 … {count - 1}, against the {arguments.reference} split; the "
        f"distilled network has seen {read_run(folder)['images_seen']:,} images; Fréchet distance "
        f"of as many real images {floor:.3f}; {machine_and_commit()}.\n\n{table(COLUMNS)}"
    )
    for sampler, schedule, steps in table_settings(arguments):
        request = GenerateRequest("all", count, schedule, sampler, steps)
        name = "distilled" if sampler == TURBO else "teacher"
        found = measure_request(networks[name], reference, request)
        scores = f"{found['frechet_distance']:.3f}", f"{found['class_accuracy']:.1%}"
        print(row([name, sampler, schedule, steps, *scores, found["ms_per_image"]]), flush=True)


if __name__ == "__main__":
    main()
