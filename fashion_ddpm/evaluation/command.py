"""The evaluate command: generate on all processes, measure, write one report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accelerate import PartialState

from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.distributed import print_processes, this_process
from fashion_ddpm.core.images import make_grid, make_labelled_grid
from fashion_ddpm.core.provenance import current_commit, device_name, library_versions
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.data.load import DataSet
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline, weights_hash
from fashion_ddpm.diffusion.sampling import SamplingSettings, num_evaluations
from fashion_ddpm.evaluation.figures import save_confusion
from fashion_ddpm.evaluation.image_sets import (
    REFERENCES,
    EvaluationError,
    build_image_sets,
    load_matching_classifier,
    load_matching_data,
)
from fashion_ddpm.evaluation.measurements import measure_all
from fashion_ddpm.evaluation.metrics import NEIGHBOURS
from fashion_ddpm.evaluation.report import Report, find_warnings, save_report
from fashion_ddpm.generation.generate import Generated, generate_together
from fashion_ddpm.runtime.backends import faster_backend
from fashion_ddpm.scoring.classifier import Classifier
from fashion_ddpm.scoring.clip import SCORERS

MIN_IMAGES = 10 * (NEIGHBOURS + 1)


@dataclass(frozen=True)
class Evaluation:
    """What to evaluate, and against what.

    Attributes:
        request: the images to generate and how.
        checkpoint: folder or Hub repository.
        data: the data set that the checkpoint was trained on.
        reference: one of REFERENCES, the real images whose distribution is the goal.
        batch_size: images denoised together; it does not change them.
        classifier: its folder; None for the bundled one, for Fashion-MNIST.
        scorers: CLIP models; one that cannot be loaded is reported as such.
        inception_weights: a file, "download", or None.
        backend: how the network runs on a CPU: eager or openvino.
    """

    request: GenerateRequest
    checkpoint: str | Path
    data: DataSettings
    reference: str = REFERENCES[0]
    batch_size: int = 64
    classifier: str | Path | None = None
    scorers: Sequence[str] = SCORERS
    inception_weights: str | None = None
    backend: str = "eager"

    def __post_init__(self) -> None:
        if self.request.num_images < MIN_IMAGES:
            raise EvaluationError(
                f"--num-images is {self.request.num_images}; an evaluation needs at least "
                f"{MIN_IMAGES}, and 10,000 for figures that mean something."
            )


def evaluate(evaluation: Evaluation, output: Path) -> Report | None:
    """Generate, measure, write report.json, report.md, pictures; return the report on rank 0.

    Raises:
        UserError: the checkpoint, the classifier or the data cannot be loaded.
    """
    current_commit()  # cached, in case files change while images are generated
    ranks = this_process()
    print_processes(ranks)
    pipeline = load_pipeline(evaluation.checkpoint, str(ranks.device))
    trained_on = read_run(pipeline.name_or_path).get("data_sha256")
    pipeline = pipeline.network_for(evaluation.request.sampler)
    classifier = load_matching_classifier(evaluation.classifier, pipeline.kind)
    data = load_matching_data(evaluation.data, pipeline.kind, evaluation.reference)
    runtime = _choose_backend(pipeline, evaluation.backend)
    generated = generate_together(pipeline, evaluation.request, evaluation.batch_size, ranks)
    if not ranks.is_main_process:
        return None
    output.mkdir(parents=True, exist_ok=True)
    protocol = _protocol(evaluation, pipeline, generated, ranks) | {"backend": runtime}
    make_grid(generated.images.images[:100], 10, scale=2).save(output / "samples.png")
    num_broken = int((~generated.finite).sum())
    usable = generated.images.select(generated.finite)
    warnings = []
    if num_broken:
        warnings.append(
            f"Broken: for {num_broken:,} of {len(generated.finite):,} images the network's output "
            "is not a number; the figures leave them out."
        )
    if trained_on and trained_on != data.fingerprint.digest:
        warnings.append(
            f"Other data: {data.name} is not what the checkpoint was trained on, which may have "
            "learned from pictures of the test split here."
        )
    if len(usable) < MIN_IMAGES:
        report = Report(protocol, warnings, {}, {}, [])
    else:
        report = _measure(evaluation, classifier, data, usable, protocol, warnings, output)
    save_report(report, output)
    return report


def _choose_backend(pipeline: FashionDDPMPipeline, name: str) -> str:
    """Make the network run on a backend, and return the name of what runs it."""
    if name == "eager" or not (found := faster_backend(pipeline.unet, name)):
        return "PyTorch"
    pipeline.predict = found.predict
    return found.runtime


def _measure(
    evaluation: Evaluation,
    classifier: Classifier | None,
    data: DataSet,
    generated: LabelledImages,
    protocol: dict[str, object],
    warnings: list[str],
    output: Path,
) -> Report:
    sets = build_image_sets(data, evaluation.reference, generated)
    found = measure_all(sets, classifier, evaluation.scorers, evaluation.inception_weights)
    make_labelled_grid(found.examples, scale=2).save(output / "nearest.png")
    names = data.kind.class_names
    if classifier:
        save_confusion(found.confusion, output / "confusion.png", names)
    column_sums = map(sum, zip(*found.confusion, strict=True))
    predicted = dict(zip(names, column_sums, strict=bool(classifier)))
    warnings = [*warnings, *find_warnings(found.rows, len(generated), predicted)]
    return Report(protocol, warnings, found.rows, found.class_accuracy, found.confusion)


def _protocol(
    evaluation: Evaluation, pipeline: FashionDDPMPipeline, generated: Generated, ranks: PartialState
) -> dict[str, object]:
    request, count = evaluation.request, len(generated.finite)
    settings = SamplingSettings.from_request(request)
    return {
        "checkpoint_sha256": weights_hash(pipeline),
        "num_images": count,
        "dataset": evaluation.data.public_name,
        "reference": f"{evaluation.reference} split",
        "classes": request.class_name,
        "schedule": request.schedule,
        "sampler": request.sampler,
        "steps": request.num_inference_steps,
        "guidance_scale": request.guidance_scale,
        "guidance_interval": f"{request.guidance_low} … {request.guidance_high}",
        "unet_evaluations_per_image": num_evaluations(settings, pipeline.scheduler),
        "seeds": f"{request.seed} … {request.seed + count - 1}",
        "ms_per_image": round(1000 * generated.seconds / count, 1),
        "processes": ranks.num_processes,
        "device": device_name(ranks.device),
        "commit": current_commit(),
        "versions": ", ".join(f"{name} {v}" for name, v in library_versions().items()),
    }
