"""A report becomes the README's table and the checkpoint's model card: no figure is typed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from fashion_ddpm.manifest import record
from fashion_ddpm.previews import ROWS
from fashion_ddpm.report import Report, Row, figure_table

MARK = "<!-- results -->"
"""Before and after the generated part of the README."""

CARD_FILE = "README.md"
SAMPLES_FILE = "samples.png"
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


def results_section(report: Report) -> str:
    """Returns the generated part of the README: the protocol in a sentence, and a table."""
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
    """Returns the README with the part between the two marks made anew."""
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
    """Returns the checkpoint's README: metadata for the Hub, how to use it, what it scored.

    Args:
        run: what run.json says of the training.
        report: what evaluate found; None where these weights were not evaluated.
        address: where it is published; None for a folder on disk.
    """
    data = ModelCardData(
        license="mit",
        library_name="diffusers",
        pipeline_tag="unconditional-image-generation",
        tags=["diffusion", "ddpm", "class-conditional", "fashion-mnist"],
        datasets=[DATASET],
        model_name="fashion-ddpm",
        eval_results=_eval_results(report) if report else None,
    )
    parts = [
        f"---\n{data.to_yaml()}\n---\n\n# fashion-ddpm",
        _about(run),
        _picture(run, address) if address else "",
        _usage(run, address),
        results_section(report) if report else "These weights were not evaluated.",
        _limits(report),
        LICENCE,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _about(run: dict[str, Any]) -> str:
    config = run["config"]
    channels = ", ".join(map(str, config["block_out_channels"]))
    return f"""A class-conditional diffusion model of Fashion-MNIST: {run["parameters"]:,}
parameters, channels {channels}, {config["prediction_type"]}, {config["noise_schedule"]} noise
schedule, T = {config["num_train_timesteps"]}. It saw {run["images_seen"]:,} images in its last run
({_before(run)}device: {run["device"]})."""


def _before(run: dict[str, Any]) -> str:
    earlier = run.get("started_from")
    return f"started from weights that had seen {earlier['images_seen']:,}; " if earlier else ""


def _picture(run: dict[str, Any], address: Address) -> str:
    names = run["class_names"]
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
from fashion_ddpm.pipeline import FashionDDPMPipeline

pipeline = FashionDDPMPipeline.from_pretrained("{source}")
images = pipeline([9, 9, 1], seed=0)  # uint8 [3, 28, 28]
```"""


def _limits(report: Report | None) -> str:
    limits = """## Limits

It draws 28×28 grey garments and knows nothing else: no colour, no size, no words. It repeats what
Fashion-MNIST shows, the articles of one shop."""
    if report is None or not report.class_accuracy:
        return limits
    accuracy = report.class_accuracy
    weakest = min(accuracy, key=lambda name: accuracy[name][0])
    generated, real = accuracy[weakest]
    return f"""{limits} Its weakest class is {weakest}:
a judge recognizes {generated:.1%} of the generated images, and {real:.1%} of real ones."""


def _eval_results(report: Report) -> list[EvalResult]:
    return [_eval_result(key, report.rows[key]) for key in HEADLINE if key in report.rows]


def _eval_result(key: str, row: Row) -> EvalResult:
    return EvalResult(
        task_type="unconditional-image-generation",
        dataset_type="fashion_mnist",
        dataset_name="Fashion-MNIST",
        metric_type=key,
        metric_name=row.name,
        metric_value=row.generated,
    )


def write_results(readme: Path, checkpoint: Path, run: dict[str, Any], report: Report) -> None:
    """Writes both documents, and the card's checksum into the manifest above the checkpoint."""
    readme.write_text(with_results(readme.read_text(), report))
    (checkpoint / CARD_FILE).write_text(model_card(run, report))
    record(checkpoint.parent, f"{checkpoint.name}/{CARD_FILE}")
