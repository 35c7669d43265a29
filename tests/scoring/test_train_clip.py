"""Tests of the embedded scorer's training, end to end with a small model."""

import json
from pathlib import Path

import pytest
import torch

from fashion_ddpm.core.config import ScorerConfig
from fashion_ddpm.core.image_kind import BLURRY_PROMPT, CLASS_NAMES, FASHION_MNIST, label_prompts
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.scoring.clip import load_scorer
from fashion_ddpm.scoring.clip_captions import build_captions
from fashion_ddpm.scoring.train_clip import (
    build_tokenizer,
    contrastive_loss,
    select_captions,
    train_scorer,
)

CAPTIONS = build_captions()


def test_the_tokenizer_knows_every_word_of_the_captions_and_reads_capitals_and_commas() -> None:
    tokenizer = build_tokenizer(CAPTIONS.texts)
    encoded = tokenizer([*CAPTIONS.texts, *label_prompts(class_names=CLASS_NAMES), BLURRY_PROMPT])[
        "input_ids"
    ]
    assert not any(tokenizer.unk_token_id in ids for ids in encoded)
    assert tokenizer("A Clear, well-generated BAG.") == tokenizer("a clear well-generated bag")
    assert tokenizer.unk_token_id in tokenizer("a locomotive")["input_ids"]
    assert all(len(ids) <= tokenizer.model_max_length for ids in encoded)


def test_a_step_has_the_label_prompts_first_and_no_caption_twice() -> None:
    selected = select_captions(5, len(CAPTIONS.texts), ScorerConfig()).tolist()
    assert selected[:10] == list(range(10))
    assert len(set(selected)) == len(selected) == ScorerConfig().captions_per_step


def test_the_loss_is_least_when_every_image_has_its_true_captions() -> None:
    weights = CAPTIONS.targets(torch.arange(10), torch.zeros(10, dtype=torch.long))
    right = contrastive_loss((weights > 0).float() * 20, weights)
    wrong = contrastive_loss((weights.roll(1, 0) > 0).float() * 20, weights)
    assert right < contrastive_loss(torch.zeros_like(weights), weights) < wrong


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, tiny_pipeline: FashionDDPMPipeline, data_dir: Path
) -> Path:
    """A scorer after a few steps on the small data."""
    config = ScorerConfig(
        data_dir=str(data_dir),
        output_dir=str(tmp_path_factory.mktemp("scorer") / "out"),
        vision_width=32,
        vision_layers=1,
        patch_size=7,
        text_width=16,
        text_layers=1,
        images_total=32 * 200,
        batch_size=32,
        warmup_steps=10,
        half_denoised_seeds=100,
    )
    return train_scorer(config, tiny_pipeline)


def test_training_learns_and_records_its_accuracy(trained: Path) -> None:
    run = json.loads((trained / "run.json").read_text())
    assert run["log"][-1]["loss"] < run["log"][0]["loss"]
    assert run["scores"]["test_zero_shot_accuracy"] > 0.3
    assert "data_dir" not in run["config"]


def test_the_result_is_a_clip_folder_that_loads(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "baseline.json", "manifest.json"} <= names
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in names)
    scorer = load_scorer(str(trained), FASHION_MNIST)
    image = torch.zeros(1, 28, 28, dtype=torch.uint8)
    assert scorer.label_scores(image).shape == (1, 10)
