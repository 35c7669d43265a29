"""Tests of a run that starts from published weights."""

import dataclasses
from pathlib import Path

import pytest
import torch

from fashion_ddpm.checkpoints.locate import CheckpointError
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, weights_hash
from fashion_ddpm.training.initial_weights import earlier_runs, initial_unet, settings_of_teacher
from tests.conftest import TINY


def test_a_run_starts_with_the_weights_of_a_checkpoint(
    tiny_checkpoint: Path, tiny_pipeline: FashionDDPMPipeline
) -> None:
    config = dataclasses.replace(TINY, initial_checkpoint=str(tiny_checkpoint))
    pairs = zip(initial_unet(config).parameters(), tiny_pipeline.unet.parameters(), strict=True)
    assert all(torch.equal(mine, published) for mine, published in pairs)
    assert earlier_runs(config)["started_from"]["images_seen"] == 0


def test_without_a_checkpoint_there_is_nothing_before_the_run() -> None:
    assert earlier_runs(TINY) == {}
    assert initial_unet(TINY).training


def test_a_network_of_another_shape_is_refused_in_a_sentence(tiny_checkpoint: Path) -> None:
    config = dataclasses.replace(TINY, layers_per_block=2, initial_checkpoint=str(tiny_checkpoint))
    with pytest.raises(ConfigError, match=r"channels and 1 layers a block that does not fit"):
        initial_unet(config)


def test_a_checkpoint_that_is_not_there_is_refused(tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, initial_checkpoint=str(tmp_path))
    with pytest.raises(CheckpointError, match=r"has no model_index\.json"):
        initial_unet(config)


def test_a_student_starts_as_its_teacher_and_says_whose_it_is(
    tiny_checkpoint: Path, tiny_pipeline: FashionDDPMPipeline
) -> None:
    config = dataclasses.replace(TINY, teacher=str(tiny_checkpoint))
    pairs = zip(initial_unet(config).parameters(), tiny_pipeline.unet.parameters(), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in pairs)
    facts = earlier_runs(config)
    assert facts["sampler"] == "turbo"
    assert facts["teacher"]["weights_sha256"] == weights_hash(tiny_pipeline)


def test_a_student_takes_shape_and_noise_schedule_from_its_teacher(tiny_checkpoint: Path) -> None:
    taken = settings_of_teacher(str(tiny_checkpoint))
    assert tuple(taken["block_out_channels"]) == TINY.block_out_channels
    assert taken["noise_schedule"] == TINY.noise_schedule
    assert "batch_size" not in taken


def test_a_teacher_of_another_noise_schedule_is_refused(tiny_checkpoint: Path) -> None:
    config = dataclasses.replace(TINY, teacher=str(tiny_checkpoint), noise_schedule="sigmoid")
    with pytest.raises(ConfigError, match="was trained on another noise schedule"):
        initial_unet(config)


def test_a_teacher_that_does_not_predict_v_is_refused(tiny_checkpoint: Path) -> None:
    config = dataclasses.replace(TINY, teacher=str(tiny_checkpoint), prediction_type="epsilon")
    with pytest.raises(ConfigError, match="must predict v"):
        initial_unet(config)
