"""The README's results and the checkpoint's model card, generated from a report."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

import fashion_ddpm
from fashion_ddpm.checkpoints.locate import (
    SAMPLES_FILE,
    dataset_name,
    distilled_folder,
    read_run,
)
from fashion_ddpm.checkpoints.manifest import update_manifest
from fashion_ddpm.core.config import TURBO
from fashion_ddpm.core.data_settings import FASHION, HUB_PREFIX
from fashion_ddpm.core.image_kind import COLOURS, FASHION_MNIST, ImageKind
from fashion_ddpm.diffusion import standalone_pipeline
from fashion_ddpm.diffusion.standalone_pipeline import PIPELINE_FILE
from fashion_ddpm.evaluation.report import (
    DISTILLED,
    REPORT_FILE,
    Report,
    load_report,
    metrics_table,
)
from fashion_ddpm.generation.sample_grid import MAX_COLUMNS, ROWS

RESULTS_MARKER = "<!-- results -->"
"""Stands before and after the generated part of the README."""

CARD_FILE = "README.md"
TEMPLATE = Path(__file__).with_name("model_card.md")
"""The card's Jinja template."""

README_ROWS = (
    "class_accuracy",
    "domain_frechet_distance",
    "domain_kernel_distance",
    "domain_precision",
    "domain_recall",
    "domain_density",
    "domain_coverage",
    "classification_accuracy_score",
    "label_wins:embedded",
    "mean_pixel",
    "dark_pixels",
)
"""The rows of the report that the README shows."""

SPACES_URL = "https://huggingface.co/spaces"
HUB_DATASET = "zalando-datasets/fashion_mnist"


def get_image_kind(run: dict[str, Any]) -> ImageKind:
    """Return the image kind in run.json, in which old checkpoints have no size."""
    size, channels = run.get("image_size", 28), run.get("channels", 1)
    return ImageKind(tuple(run["class_names"]), size, channels)


def hub_datasets(run: dict[str, Any]) -> list[str] | None:
    """Return the data set's name on the Hub, or None if it is not there."""
    name = run.get("dataset", FASHION)
    if name == FASHION:
        return [HUB_DATASET]
    source = name.removeprefix(HUB_PREFIX)
    return [source] if name.startswith(HUB_PREFIX) and "/" in source else None


def results_section(report: Report) -> str:
    """Return the generated part of the README: protocol and table."""
    protocol = report.protocol
    return "\n".join(
        [
            f"{protocol['num_images']:,} images of this network, classes "
            f"{protocol['classes']}, seeds {protocol['seeds']}, {protocol['sampler']} on the "
            f"{protocol['schedule']} schedule, {protocol['steps']} steps, guidance "
            f"{protocol['guidance_scale']}, against the {protocol['reference']}; "
            f"{protocol['device']}; commit {protocol['commit']}. Each figure stands beside the "
            "same figure for as many real images.",
            "",
            metrics_table(report, README_ROWS),
        ]
    )


def replace_results(readme: str, report: Report) -> str:
    """Return the README with the results of a report between its markers."""
    before, _, after = readme.split(RESULTS_MARKER)
    return f"{before}{RESULTS_MARKER}\n{results_section(report)}\n{RESULTS_MARKER}{after}"


@dataclass(frozen=True)
class HubRepos:
    """Names of the repositories of a published model.

    Attributes:
        model: USER/NAME of the model's repository.
        space: USER/NAME of the Space; empty if there is none.
        static_space: USER/NAME of the Space whose page draws in the browser; empty if none.
        base_model: of a distilled network, USER/NAME of its teacher.
    """

    model: str
    space: str = ""
    static_space: str = ""
    base_model: str | None = None

    @property
    def space_url(self) -> str:
        """Address of the Space; empty if there is none."""
        return f"{SPACES_URL}/{self.space}" if self.space else ""

    @property
    def static_space_url(self) -> str:
        """Address of the static Space; empty if there is none."""
        return f"{SPACES_URL}/{self.static_space}" if self.static_space else ""

    @property
    def distilled(self) -> str:
        """USER/NAME of the repository of the network distilled from the model."""
        return str(distilled_folder(self.model))

    def models(self, has_distilled: bool) -> list[str]:
        """Return the names of the model's repository and of the distilled network's, if any."""
        return [self.model, *[self.distilled] * has_distilled]


def model_card(run: dict[str, Any], report: Report | None, repos: HubRepos | None = None) -> str:
    """Return the checkpoint's README: metadata for the Hub, usage and metrics.

    Args:
        run: the content of run.json.
        report: the evaluation; None if these weights were not evaluated.
        repos: where the model is published; None for a folder on disk.
    """
    kind = get_image_kind(run)
    on_fashion = kind == FASHION_MNIST
    is_distilled = "teacher" in run
    name = "fashion-ddpm" if on_fashion else f"ddpm-{dataset_name(run)}"
    name += f"-{TURBO}" * is_distilled
    data = ModelCardData(
        license="mit" if on_fashion else None,
        library_name="diffusers",
        pipeline_tag="unconditional-image-generation",
        tags=["diffusion", "ddpm", "class-conditional", *["fashion-mnist"] * on_fashion],
        datasets=hub_datasets(run),
        model_name=name,
        base_model=repos.base_model if repos else None,
        eval_results=_eval_results(report, run) if report else None,
    )
    accuracy = report.class_accuracy if report else {}
    card = ModelCard.from_template(
        data,
        template_path=str(TEMPLATE),
        name=name,
        version=fashion_ddpm.__version__,
        title=_dataset_title(run),
        run=run,
        kind=kind,
        on_fashion=on_fashion,
        colour=COLOURS[kind.channels],
        repos=repos,
        is_distilled=is_distilled,
        source=repos.model if repos else ".",
        samples=SAMPLES_FILE,
        rows=ROWS,
        shown=run["class_names"][:MAX_COLUMNS],
        example=run["class_names"][-1],
        results=results_section(report) if report else "These weights were not evaluated.",
        accuracy=accuracy,
        weakest=min(accuracy, key=lambda name: accuracy[name][0], default=None),
    )
    return str(card)


def _dataset_title(run: dict[str, Any]) -> str:
    """Return the data set's name for readers."""
    name = run.get("dataset", FASHION)
    return "Fashion-MNIST" if name == FASHION else f"the data set {dataset_name(run)}"


def _eval_results(report: Report, run: dict[str, Any]) -> list[EvalResult] | None:
    results = [
        EvalResult(
            task_type="unconditional-image-generation",
            dataset_type=dataset_name(run).replace("-", "_"),
            dataset_name=_dataset_title(run),
            metric_type=key,
            metric_name=row.name,
            metric_value=row.generated,
        )
        for key in README_ROWS
        if (row := report.rows.get(key)) and not row.missing
    ]
    return results or None


def write_results(readme: Path, checkpoint: Path, evaluation: Path) -> None:
    """Update the README; card and pipeline.py of a checkpoint and of the one distilled from it.

    The checksums of the cards are in the parent folder's manifest.

    Args:
        readme: the document with two RESULTS_MARKER.
        checkpoint: the evaluated network.
        evaluation: the output folder of evaluate; DISTILLED in it is that of the other network.
    """
    report = load_report(evaluation / REPORT_FILE)
    readme.write_text(replace_results(readme.read_text(), report))
    reports = {checkpoint: report}
    if (evaluation / DISTILLED / REPORT_FILE).exists():
        reports[distilled_folder(checkpoint)] = load_report(evaluation / DISTILLED / REPORT_FILE)
    for folder, its_report in reports.items():
        (folder / CARD_FILE).write_text(model_card(read_run(folder), its_report))
        update_manifest(folder.parent, f"{folder.name}/{CARD_FILE}")
        shutil.copyfile(standalone_pipeline.__file__, folder / PIPELINE_FILE)
        update_manifest(folder, PIPELINE_FILE)
