"""Evidence on the loaded network: evaluation report, losses, limits of the scorers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fashion_ddpm.checkpoints.locate import read_run, total_images_seen
from fashion_ddpm.core.images import GRID_GAP, read_settings
from fashion_ddpm.core.paths import EVALUATION_DIR
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.diffusion.pipeline import weights_hash
from fashion_ddpm.evaluation.report import Report, find_report
from fashion_ddpm.generation.preview import STEPS_KEY

STUDENT_LOSSES = {"training": (0.1577, 0.1076), "validation": (0.1321, 0.1083)}
"""First and last loss in the student's report, for predicting the noise with T = 100."""

PREVIEWS = "previews"
"""Folder of the previews that a training run writes beside its checkpoint."""

MAX_POINTS = 8
"""Most points of training that are shown."""

RUN_CURVES = ("training", "validation")


def bundled_report(demo: Demo, folder: Path = EVALUATION_DIR) -> Report | None:
    """Return the evaluation report, if there is one of the loaded weights."""
    return find_report(folder, weights_hash(demo.pipeline))


def loss_points(demo: Demo) -> list[tuple[float, str, float]]:
    """Return (images seen, curve, loss) of the run that trained the network."""
    log = read_run(demo.pipeline.name_or_path).get("log", [])
    return [
        (float(row["images_seen"]), curve, round(float(row[key]), 4))
        for key, curve in zip(("loss", "validation_loss"), RUN_CURVES, strict=True)
        for row in log
        if key in row
    ]


def describe_losses(demo: Demo) -> str:
    """Return what the losses show: where each begins and ends; "" without any."""
    points = loss_points(demo)
    parts = []
    for curve in RUN_CURVES:
        of_curve = [(images_seen, loss) for images_seen, name, loss in points if name == curve]
        if of_curve:
            (first, start), (last, end) = of_curve[0], of_curve[-1]
            verb = "falls" if end < start else "rises"
            parts.append(
                f"the {curve} loss {verb} from {start:.4f} at {first:,.0f} images to {end:.4f} at "
                f"{last:,.0f}"
            )
    if not parts:
        return ""
    run = read_run(demo.pipeline.name_or_path)
    before = total_images_seen(run) - run.get("images_seen", 0)
    begin = f"The run started from a network that had seen {before:,} images"
    begin = begin if before else "The run started from random weights"
    return f"{begin}: {' and '.join(parts)}."


@dataclass(frozen=True)
class TrainingPreview:
    """How each class emerged from noise at one point of training.

    Attributes:
        images_seen: the point of training.
        steps: the step of each column, from 0, the noise.
        path: a picture with a row per class, a column per step.
        image_size: side of an image, pixels.
        num_classes: the number of rows.
    """

    images_seen: int
    steps: Sequence[int]
    path: Path
    image_size: int
    num_classes: int

    def row(self, label: int) -> Image.Image:
        """Return the row of a class."""
        top = label * (self.image_size + GRID_GAP)
        with Image.open(self.path, formats=["PNG"]) as picture:
            return picture.crop((0, top, picture.width, top + self.image_size))


def training_previews(demo: Demo) -> list[TrainingPreview]:
    """Return the previews beside the checkpoint, at most MAX_POINTS, in the order of training."""
    readable = [_read_preview(path, demo.kind.image_size) for path in preview_paths(demo)]
    previews = [preview for preview in readable if preview]
    last = len(previews) - 1
    if last < MAX_POINTS:
        return previews
    return [previews[round(point * last / (MAX_POINTS - 1))] for point in range(MAX_POINTS)]


def _read_preview(path: Path, image_size: int) -> TrainingPreview | None:
    """Return a preview; None if it is damaged, or of an earlier version without its steps."""
    try:
        steps = read_settings(path)[STEPS_KEY]
        with Image.open(path, formats=["PNG"]) as picture:
            picture.load()
    except (OSError, ValueError, KeyError):
        return None
    num_classes = (picture.height + GRID_GAP) // (image_size + GRID_GAP)
    return TrainingPreview(int(path.stem), steps, path, image_size, num_classes)


def preview_paths(demo: Demo) -> list[Path]:
    """Return the files of the previews beside the checkpoint, in the order of training."""
    folder = Path(demo.pipeline.name_or_path).parent / PREVIEWS
    return sorted(path for path in folder.glob("*.png") if path.stem.isdigit())


def scorer_confusion(demo: Demo, scorer_name: str) -> list[list[float]]:
    """Return a scorer's mean score of each prompt (columns) for real images of each class."""
    _, baseline = demo.scorer(scorer_name)
    return [] if baseline is None else baseline.labels.tolist()


def describe_confusion(shares: Sequence[Sequence[float]], class_names: Sequence[str]) -> str:
    """Return the best and the worst class of a confusion matrix, and what the worst is taken for.

    Args:
        shares: for each class (rows), the share in [0, 1] of each answer (columns).
        class_names: the names of rows and columns, two or more.
    """
    right = [row[label] for label, row in enumerate(shares)]
    best, worst = right.index(max(right)), right.index(min(right))
    rivals = [label for label in range(len(right)) if label != worst]
    rival = max(rivals, key=lambda label: shares[worst][label])
    return (
        f"On the diagonal, {class_names[best]} is highest ({_percent(right[best])}) and "
        f"{class_names[worst]} lowest ({_percent(right[worst])}), where {class_names[rival]} comes "
        f"next with {_percent(shares[worst][rival])}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
