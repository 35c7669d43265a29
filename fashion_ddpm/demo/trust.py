"""Evidence on the loaded network: evaluation report, losses, limits of the scorers."""

from pathlib import Path

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.paths import EVALUATION_DIR
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.diffusion.pipeline import weights_hash
from fashion_ddpm.evaluation.report import REPORT_FILE, Report, load_report

STUDENT_LOSSES = {"training": (0.1577, 0.1076), "validation": (0.1321, 0.1083)}
"""First and last loss in the student's report, for predicting the noise with T = 100."""

PREVIEWS = "previews"
"""Folder of samples that a training run writes beside its checkpoint."""

RUN_CURVES = ("training", "validation")


def bundled_report(demo: Demo, folder: Path = EVALUATION_DIR) -> Report | None:
    """Return the evaluation report, if there is one of the loaded weights."""
    path = folder / REPORT_FILE
    if not path.exists():
        return None
    report = load_report(path)
    return report if report.protocol["checkpoint_sha256"] == weights_hash(demo.pipeline) else None


def loss_points(demo: Demo) -> list[tuple[float, str, float]]:
    """Return (images seen, curve, loss) of the run that trained the network."""
    log = read_run(demo.pipeline.name_or_path).get("log", [])
    return [
        (float(row["images_seen"]), curve, round(float(row[key]), 4))
        for key, curve in zip(("loss", "validation_loss"), RUN_CURVES, strict=True)
        for row in log
        if key in row
    ]


def training_previews(demo: Demo) -> list[tuple[int, Path]]:
    """Return (images seen, grid of samples) for the previews beside the checkpoint."""
    folder = Path(demo.pipeline.name_or_path).parent / PREVIEWS
    paths = sorted(path for path in folder.glob("*.png") if path.stem.isdigit())
    return [(int(path.stem), path) for path in paths]


def real_scores(demo: Demo, scorer_name: str) -> list[tuple[str, float]]:
    """Return (class, mean score of its own prompt) of real test images of Fashion-MNIST."""
    _, baseline = demo.scorer(scorer_name)
    if baseline is None:
        return []
    scores = (round(score, 3) for score in baseline.labels.diagonal().tolist())
    return list(zip(CLASS_NAMES, scores, strict=True))


def scorer_confusion(demo: Demo, scorer_name: str) -> list[list[str]]:
    """Return a row for each real class: its name, and the mean score of each prompt."""
    _, baseline = demo.scorer(scorer_name)
    if baseline is None:
        return []
    return [
        [name, *(f"{score:.0%}" for score in row)]
        for name, row in zip(CLASS_NAMES, baseline.labels.tolist(), strict=True)
    ]
