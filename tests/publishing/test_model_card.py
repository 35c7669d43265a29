"""Tests of the README's results and the model card."""

import dataclasses
import shutil
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

import fashion_ddpm
from fashion_ddpm.checkpoints.locate import RUN_FILE, distilled_folder, read_run
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT, EVALUATION_DIR
from fashion_ddpm.diffusion.pipeline import load_pipeline, weights_hash
from fashion_ddpm.evaluation.report import DISTILLED, Report, Row, find_report
from fashion_ddpm.publishing.model_card import (
    RESULTS_MARKER,
    HubRepos,
    model_card,
    replace_results,
    results_section,
    write_results,
)

ROOT = Path(__file__).parent.parent.parent
REPORT = Report(
    {
        "num_images": 10_000,
        "classes": "all",
        "seeds": "0 … 9999",
        "sampler": "dpm++2m",
        "schedule": "cosine",
        "steps": 20,
        "guidance_scale": 1.0,
        "reference": "test split",
        "device": "cpu",
        "commit": "abc",
    },
    [],
    {"class_accuracy": Row("class accuracy", 0.9, 0.94)},
    {},
    [],
)


def test_the_card_is_valid_metadata_with_the_measured_values() -> None:
    card = ModelCard(model_card(read_run(BUNDLED_CHECKPOINT), REPORT))
    data = card.data.to_dict()
    assert data["library_name"] == "diffusers"
    assert data["license"] == "mit"
    (metric,) = data["model-index"][0]["results"][0]["metrics"]
    assert metric["value"] == pytest.approx(0.9)
    assert 'DiffusionPipeline.from_pretrained(".", trust_remote_code=True)' in card.text


def test_the_weakest_class_is_the_reports() -> None:
    accuracy = {"bag": (0.97, 0.99), "coat": (0.61, 0.85)}
    report = dataclasses.replace(REPORT, class_accuracy=accuracy)
    text = " ".join(model_card(read_run(BUNDLED_CHECKPOINT), report).split())
    assert "weakest class is coat: a classifier recognizes 61.0% of the generated images" in text


def test_a_card_without_a_report_has_no_figures_and_says_so() -> None:
    card = ModelCard(model_card(read_run(BUNDLED_CHECKPOINT), None))
    assert "model-index" not in card.data.to_dict()
    assert "These weights were not evaluated." in card.text


def test_a_published_card_names_its_address_and_shows_its_samples() -> None:
    text = model_card(read_run(BUNDLED_CHECKPOINT), REPORT, HubRepos("ada/boots", "ada/demo"))
    assert 'DiffusionPipeline.from_pretrained("ada/boots", trust_remote_code=True)' in text
    assert "https://huggingface.co/spaces/ada/demo" in text
    assert "](samples.png)" in text
    assert f"(version {fashion_ddpm.__version__})" in text


def test_the_card_of_a_distilled_network_names_its_teacher_and_its_four_steps() -> None:
    run = read_run(distilled_folder(BUNDLED_CHECKPOINT))
    repos = HubRepos("ada/boots-turbo", "ada/demo", base_model="ada/boots")
    card = ModelCard(model_card(run, None, repos))
    assert card.data.to_dict()["base_model"] == "ada/boots"
    assert "Distilled from [ada/boots]" in card.text
    assert "num_inference_steps=4" in card.text
    assert "DPMSolver" not in card.text
    for alone in (None, HubRepos("ada/quick")):
        card = ModelCard(model_card(run, None, alone))
        assert "base_model" not in card.data.to_dict()
        assert "Distilled from another network" in card.text


def test_only_the_part_between_the_marks_changes() -> None:
    made = replace_results(f"before\n{RESULTS_MARKER}\nold\n{RESULTS_MARKER}\nafter\n", REPORT)
    assert made == f"before\n{RESULTS_MARKER}\n{results_section(REPORT)}\n{RESULTS_MARKER}\nafter\n"
    assert replace_results(made, REPORT) == made


def test_the_repositorys_documents_are_made_from_its_report(tmp_path: Path) -> None:
    tracked = (ROOT / "README.md").read_text()
    readme, checkpoint = tmp_path / "page.md", tmp_path / BUNDLED_CHECKPOINT.name
    readme.write_text(tracked)
    for folder in (BUNDLED_CHECKPOINT, distilled_folder(BUNDLED_CHECKPOINT)):
        (tmp_path / folder.name).mkdir()
        shutil.copy(folder / RUN_FILE, tmp_path / folder.name)
    write_results(readme, checkpoint, EVALUATION_DIR)
    assert readme.read_text() == tracked
    for folder in (BUNDLED_CHECKPOINT, distilled_folder(BUNDLED_CHECKPOINT)):
        for name in ("README.md", "pipeline.py"):
            assert (tmp_path / folder.name / name).read_text() == (folder / name).read_text()


def test_the_reports_are_about_the_bundled_weights() -> None:
    network = load_pipeline(BUNDLED_CHECKPOINT)
    assert network.distilled_network
    assert find_report(EVALUATION_DIR, weights_hash(network))
    assert find_report(EVALUATION_DIR / DISTILLED, weights_hash(network.distilled_network))
