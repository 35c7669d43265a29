"""Tests of another data set: training, generation, evaluation and model card."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fashion_ddpm.checkpoints.locate import read_class_names, read_run
from fashion_ddpm.core.config import ClassifierConfig, TrainConfig
from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.images import read_settings
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.demo.share import parse_picture
from fashion_ddpm.diffusion.pipeline import load_pipeline, short_weights_hash
from fashion_ddpm.diffusion.sampling import SamplingSettings
from fashion_ddpm.evaluation.command import Evaluation, evaluate
from fashion_ddpm.evaluation.report import Report
from fashion_ddpm.generation import command
from fashion_ddpm.publishing.model_card import HubRepos, model_card
from fashion_ddpm.scoring.train_classifier import train_classifier
from fashion_ddpm.training.loop import train
from tests.tools.program import run_here
from tests.tools.shapes import SHAPES
from tests.tools.small_runs import read_losses

KIND = ImageKind(SHAPES, image_size=32, channels=3)


def test_training_learns_and_the_checkpoint_says_what_it_draws(
    shapes_run: TrainConfig, shapes_checkpoint: Path
) -> None:
    run = read_run(shapes_checkpoint)
    assert run["class_names"] == list(SHAPES)
    assert (run["null_label"], run["image_size"], run["channels"]) == (3, 32, 3)
    assert run["dataset"] == "imagefolder:shapes"
    assert str(Path(shapes_run.dataset.partition(":")[2]).parent) not in json.dumps(run)
    assert load_pipeline(shapes_checkpoint).kind == KIND
    assert read_class_names(shapes_checkpoint) == SHAPES
    found = read_losses(shapes_run)
    assert found[(512, "loss")] < found[(32, "loss")]


def test_another_data_set_in_the_same_run_is_refused(shapes_run: TrainConfig) -> None:
    with pytest.raises(ConfigError, match="--dataset is fashion-mnist, but the run in"):
        train(dataclasses.replace(shapes_run, dataset="fashion-mnist", attention_resolutions=(7,)))


def test_published_weights_of_other_images_are_no_start(
    shapes_run: TrainConfig, tmp_path: Path
) -> None:
    changes = {"output_dir": str(tmp_path), "initial_checkpoint": str(BUNDLED_CHECKPOINT)}
    with pytest.raises(ConfigError, match=r"draws grey images .+ the data set has colour images"):
        train(dataclasses.replace(shapes_run, **changes))  # type: ignore[arg-type]


def test_an_image_depends_on_its_seed_alone(shapes_checkpoint: Path) -> None:
    pipeline = load_pipeline(shapes_checkpoint)
    guided = SamplingSettings(num_inference_steps=2, guidance_scale=2.0)
    together = pipeline([0, 1, 2], seed=5, settings=guided)
    assert together.shape == (3, 32, 32, 3)
    assert torch.equal(pipeline([2], seed=7, settings=guided)[0], together[2])


def test_a_grid_in_colour_carries_its_settings(shapes_checkpoint: Path, tmp_path: Path) -> None:
    request = GenerateRequest(
        "all", num_images=4, num_inference_steps=2, seed=3, class_names=SHAPES
    )
    for name in ("grid.png", "arrays.npz", "folder"):
        command.run(request, str(shapes_checkpoint), tmp_path / name, 2, None)
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.mode == "RGB"
    model = {"model": short_weights_hash(load_pipeline(shapes_checkpoint))}
    assert read_settings(tmp_path / "grid.png") == request.as_settings() | model
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert arrays["images"].shape == (4, 32, 32, 3)
        assert arrays["labels"].tolist() == [0, 1, 2, 0]
        with Image.open(tmp_path / "folder" / "triangle-0000000005.png") as picture:
            assert np.array_equal(np.asarray(picture), arrays["images"][2])
    assert parse_picture(tmp_path / "folder" / "triangle-0000000005.png", SHAPES).request.seed == 5


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--class", "boot"), "class is 'boot'; it must be one of circle, square, triangle,"),
        (("--class", "3"), "class is '3'; it must be one of circle, square, triangle,"),
        (("--score",), "The scorer embedded has seen nothing but Fashion-MNIST"),
    ],
)
def test_the_command_line_knows_the_checkpoints_classes(
    shapes_checkpoint: Path, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    output = ("--output", str(tmp_path / "one.png"))
    one = ("generate", "--num-images", "1", "--checkpoint", str(shapes_checkpoint), *output)
    done = run_here(*one, *arguments)
    assert done.returncode == 1
    assert expected in done.stderr
    assert not list(tmp_path.iterdir())


def run_evaluation(checkpoint: Path, shapes: Path, output: Path, classifier: Path | None) -> Report:
    request = GenerateRequest("all", num_images=60, num_inference_steps=2, class_names=SHAPES)
    data = DataSettings(dataset=f"imagefolder:{shapes}")
    report = evaluate(
        Evaluation(request, checkpoint, data, classifier=classifier, scorers=["embedded"]), output
    )
    assert report is not None
    return report


def test_an_evaluation_measures_what_is_defined_and_says_why_the_rest_is_not(
    shapes_checkpoint: Path, shapes_dir: Path, tmp_path: Path
) -> None:
    report = run_evaluation(shapes_checkpoint, shapes_dir, tmp_path, None)
    for key in ("mean_pixel", "dark_pixels", "nearest_pixels", "classification_accuracy_score"):
        assert report.rows[key].generated is not None
        assert report.rows[key].real is not None
    for key in ("class_accuracy", "domain_frechet_distance", "nearest_features"):
        assert "knows Fashion-MNIST alone; train-classifier" in str(report.rows[key].missing)
    assert "has seen nothing but Fashion-MNIST" in str(report.rows["label_score:embedded"].missing)
    assert report.protocol["dataset"] == "imagefolder:shapes"
    page = (tmp_path / "report.md").read_text()
    assert "not measured: the bundled classifier" in page
    assert "confusion.png" not in page
    with Image.open(tmp_path / "nearest.png") as picture:
        assert picture.mode == "RGB"
    card = model_card(read_run(shapes_checkpoint), report, HubRepos("ada/shapes", "ada/draw"))
    assert "trained on the data set shapes" in card
    assert "32×32 images, colour" in card
    assert "not measured" in card
    for word in ("Fashion-MNIST", "garment", "xiao2017", "zalando", "class_accuracy", "[9, 9, 1]"):
        assert word not in card.replace("knows Fashion-MNIST alone", "").replace(
            "seen nothing but Fashion-MNIST", ""
        )


@pytest.mark.slow
def test_a_classifier_of_the_same_data_set_measures_distances(
    shapes_checkpoint: Path, shapes_dir: Path, tmp_path: Path
) -> None:
    config = ClassifierConfig(
        dataset=f"imagefolder:{shapes_dir}",
        output_dir=str(tmp_path / "classifier"),
        images_total=1_280,
        batch_size=32,
        warmup_steps=5,
    )
    classifier = train_classifier(config)
    assert json.loads((classifier / "run.json").read_text())["scores"]["test_accuracy"] > 0.5
    report = run_evaluation(shapes_checkpoint, shapes_dir, tmp_path / "report", classifier)
    assert report.rows["domain_frechet_distance"].generated is not None
    assert set(report.class_accuracy) == set(SHAPES)
    assert len(report.confusion) == 3
    assert "confusion.png" in (tmp_path / "report" / "report.md").read_text()
