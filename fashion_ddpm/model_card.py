"""A report becomes the README's table and the checkpoint's model card: no figure is typed."""

from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from fashion_ddpm.report import Report, Row, figure_table

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


def results_section(report: Report) -> str:
    """Returns the generated part of the README: the protocol in a sentence, and a table."""
    protocol = report.protocol
    return "\n".join(
        [
            f"{protocol['num_images']:,} images of the bundled network, classes "
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


def model_card(run: dict[str, Any], report: Report) -> str:
    """Returns the checkpoint's README: metadata for the Hub, how to use it, what it scored.

    Args:
        run: what run.json says of the training.
        report: what evaluate found.
    """
    data = ModelCardData(
        license="mit",
        library_name="diffusers",
        pipeline_tag="unconditional-image-generation",
        tags=["diffusion", "ddpm", "class-conditional", "fashion-mnist"],
        datasets=["zalando-datasets/fashion_mnist"],
        model_name="fashion-ddpm",
        eval_results=[
            _eval_result(key, report.rows[key]) for key in HEADLINE if key in report.rows
        ],
    )
    config = run["config"]
    return f"""---
{data.to_yaml()}
---

# fashion-ddpm

A class-conditional diffusion model of Fashion-MNIST: {run["parameters"]:,} parameters, channels
{config["block_out_channels"]}, {config["prediction_type"]}, {config["noise_schedule"]} noise
schedule, T = {config["num_train_timesteps"]}. It saw {run["images_seen"]:,} images in its last run
({_before(run)}device: {run["device"]}). The label {run["null_label"]} means "no class". What it
makes are 28×28 grey garments; it knows nothing else, and shirts are its weakest class.

```python
from diffusers import DDPMScheduler, UNet2DModel

unet = UNet2DModel.from_pretrained(".", subfolder="unet")
scheduler = DDPMScheduler.from_pretrained(".", subfolder="scheduler")
```

{results_section(report)}
"""


def _before(run: dict[str, Any]) -> str:
    earlier = run.get("started_from")
    return f"started from weights that had seen {earlier['images_seen']:,}; " if earlier else ""


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
    """Writes both documents."""
    readme.write_text(with_results(readme.read_text(), report))
    (checkpoint / CARD_FILE).write_text(model_card(run, report))
