"""A report becomes the README's table and the checkpoint's model card: no figure is typed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from fashion_ddpm.checkpoints.locate import SAMPLES_FILE
from fashion_ddpm.checkpoints.manifest import record
from fashion_ddpm.core.data_settings import FASHION, HUB
from fashion_ddpm.core.image_kind import COLOURS, FASHION_MNIST, ImageKind
from fashion_ddpm.evaluation.report import Report, Row, figure_table
from fashion_ddpm.generation.sample_grid import MAX_COLUMNS, ROWS

MARK = "<!-- results -->"
"""Before and after the generated part of the README."""

CARD_FILE = "README.md"
HEADLINE = (
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
"""The rows that the README shows; the report has them all."""


DATASET = "zalando-datasets/fashion_mnist"
OWN_LICENCE = """## Licence

The code is under the MIT licence. Whose the training pictures are, and what may be done with images
drawn after them, is for whoever publishes these weights to say here."""
LICENCE = """## Licence and citation

MIT, like the data, which a publication that uses it should cite:

```bibtex
@article{xiao2017fashion,
  title   = {Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms},
  author  = {Han Xiao and Kashif Rasul and Roland Vollgraf},
  journal = {arXiv:1708.07747},
  year    = {2017}
}
```"""


def kind_of(run: dict[str, Any]) -> ImageKind:
    """Return what a checkpoint draws, by its run.json (the first ones did not tell the size)."""
    size, channels = run.get("image_size", 28), run.get("channels", 1)
    return ImageKind(tuple(run["class_names"]), size, channels)


def hub_datasets(run: dict[str, Any]) -> list[str] | None:
    """Return the data set's name on the Hub, where it has one there."""
    name = run.get("dataset", FASHION)
    if name == FASHION:
        return [DATASET]
    source = name.removeprefix(HUB)
    return [source] if name.startswith(HUB) and "/" in source else None


def results_section(report: Report) -> str:
    """Return the generated part of the README: the protocol in a sentence, and a table."""
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
            figure_table(report, HEADLINE),
        ]
    )


def with_results(readme: str, report: Report) -> str:
    """Return the README with the part between the two marks made anew."""
    before, _, after = readme.split(MARK)
    return f"{before}{MARK}\n{results_section(report)}\n{MARK}{after}"


@dataclass(frozen=True)
class Address:
    """Where a published model lies, as its card says it.

    Attributes:
        model: USER/NAME of the model's repository; beside the card lies SAMPLES_FILE.
        space: USER/NAME of the Space that draws with it.
    """

    model: str
    space: str


def model_card(run: dict[str, Any], report: Report | None, address: Address | None = None) -> str:
    """Return the checkpoint's README: metadata for the Hub, how to use it, what it scored.

    Args:
        run: what run.json says of the training.
        report: what evaluate found; None where these weights were not evaluated.
        address: where it is published; None for a folder on disk.
    """
    on_fashion = kind_of(run) == FASHION_MNIST
    name = "fashion-ddpm" if on_fashion else f"ddpm-{_source(run)}"
    data = ModelCardData(
        license="mit" if on_fashion else None,
        library_name="diffusers",
        pipeline_tag="unconditional-image-generation",
        tags=["diffusion", "ddpm", "class-conditional", *["fashion-mnist"] * on_fashion],
        datasets=hub_datasets(run),
        model_name=name,
        eval_results=_eval_results(report, run) if report else None,
    )
    parts = [
        f"---\n{data.to_yaml()}\n---\n\n# {name}",
        _about(run),
        _picture(run, address) if address else "",
        _usage(run, address),
        results_section(report) if report else "These weights were not evaluated.",
        _limits(report, kind_of(run)),
        LICENCE if on_fashion else OWN_LICENCE,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _about(run: dict[str, Any]) -> str:
    config = run["config"]
    channels = ", ".join(map(str, config["block_out_channels"]))
    return f"""A class-conditional diffusion model of {_title(run)}: {run["parameters"]:,}
parameters, channels {channels}, {config["prediction_type"]}, {config["noise_schedule"]} noise
schedule, T = {config["num_train_timesteps"]}. It saw {run["images_seen"]:,} images in its last run
({_before(run)}device: {run["device"]})."""


def _title(run: dict[str, Any]) -> str:
    """Return what a reader calls the data set."""
    name = run.get("dataset", FASHION)
    return "Fashion-MNIST" if name == FASHION else f"the data set {_source(run)}"


def _source(run: dict[str, Any]) -> str:
    """Return the last part of the data set's name: of "hub:ada/boots" it is "boots"."""
    return str(run.get("dataset", FASHION)).split(":")[-1].split("/")[-1]


def _before(run: dict[str, Any]) -> str:
    earlier = run.get("started_from")
    return f"started from weights that had seen {earlier['images_seen']:,}; " if earlier else ""


def _picture(run: dict[str, Any], address: Address) -> str:
    names = run["class_names"][:MAX_COLUMNS]
    return f"""![{ROWS} images of each class]({SAMPLES_FILE})

Seeds 0 to {ROWS * len(names) - 1}, none left out; from left to right: {", ".join(names)}.
[Draw your own](https://huggingface.co/spaces/{address.space})."""


def _usage(run: dict[str, Any], address: Address | None) -> str:
    source = address.model if address else "."
    names = ", ".join(f"{label} {name}" for label, name in enumerate(run["class_names"]))
    code = f"""With nothing but diffusers (write the loop yourself):

```python
from diffusers import DDPMScheduler, UNet2DModel

unet = UNet2DModel.from_pretrained("{source}", subfolder="unet")
scheduler = DDPMScheduler.from_pretrained("{source}", subfolder="scheduler")
```

The labels: {names}, {run["null_label"]} "no class". Pixels lie in [−1, 1]."""
    if address is None:
        return code
    return f"""{code}

With the loop written, in a clone of the Space:

```python
from fashion_ddpm import FashionDDPMPipeline

pipeline = FashionDDPMPipeline.from_pretrained("{source}")
images = pipeline({_example(run)}
```"""


def _example(run: dict[str, Any]) -> str:
    """Return a call's arguments and, behind them, what it returns."""
    kind = kind_of(run)
    labels = [kind.null_label - 1, kind.null_label - 1, min(1, kind.null_label - 1)]
    shape = [3, kind.image_size, kind.image_size, *[3] * (kind.channels == 3)]
    return f"{labels}, seed=0)  # uint8 {shape}"


def _limits(report: Report | None, kind: ImageKind) -> str:
    size = f"{kind.image_size}×{kind.image_size}"
    limits = """## Limits

It draws 28×28 grey garments and knows nothing else: no colour, no size, no words. It repeats what
Fashion-MNIST shows, the articles of one shop."""
    if kind != FASHION_MNIST:
        limits = f"""## Limits

It draws {size} images, {COLOURS[kind.channels]}, of the classes above and knows nothing else: no
other size, no words. It repeats what its training pictures show."""
    if report is None or not report.class_accuracy:
        return limits
    accuracy = report.class_accuracy
    weakest = min(accuracy, key=lambda name: accuracy[name][0])
    generated, real = accuracy[weakest]
    return f"""{limits} Its weakest class is {weakest}:
a classifier recognizes {generated:.1%} of the generated images, and {real:.1%} of real ones."""


def _eval_results(report: Report, run: dict[str, Any]) -> list[EvalResult] | None:
    measured = [key for key in HEADLINE if key in report.rows and not report.rows[key].missing]
    return [_eval_result(key, report.rows[key], run) for key in measured] or None


def _eval_result(key: str, row: Row, run: dict[str, Any]) -> EvalResult:
    return EvalResult(
        task_type="unconditional-image-generation",
        dataset_type=_source(run).replace("-", "_"),
        dataset_name=_title(run),
        metric_type=key,
        metric_name=row.name,
        metric_value=row.generated,
    )


def write_results(readme: Path, checkpoint: Path, run: dict[str, Any], report: Report) -> None:
    """Write both documents, and the card's checksum into the manifest above the checkpoint."""
    readme.write_text(with_results(readme.read_text(), report))
    (checkpoint / CARD_FILE).write_text(model_card(run, report))
    record(checkpoint.parent, f"{checkpoint.name}/{CARD_FILE}")
