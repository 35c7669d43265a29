"""Tests of a published checkpoint: what a stranger needs, whole, small, without pickles."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import DDPMScheduler, UNet2DModel

from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.image_kind import CLASS_NAMES, NULL_LABEL
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.save_checkpoint import save_checkpoint
from tests.conftest import TINY


def test_a_stranger_with_only_diffusers_can_load_the_parts(tiny_checkpoint: Path) -> None:
    unet = UNet2DModel.from_pretrained(tiny_checkpoint / "unet", use_safetensors=True)
    scheduler = DDPMScheduler.from_pretrained(tiny_checkpoint / "scheduler")
    assert unet.config["num_class_embeds"] == NULL_LABEL + 1
    assert scheduler.config["prediction_type"] == "v_prediction"
    assert scheduler.config["timestep_spacing"] == "trailing"


def test_run_json_says_how_it_was_made_and_names_no_path(tiny_checkpoint: Path) -> None:
    run = json.loads((tiny_checkpoint / "run.json").read_text())
    assert run["class_names"] == list(CLASS_NAMES)
    assert run["null_label"] == NULL_LABEL
    assert run["pixel_range"] == [-1, 1]
    assert run["config"]["noise_schedule"] == "cosine"
    assert run["versions"]["torch"] == torch.__version__.split("+")[0]
    assert not {"data_dir", "output_dir"} & set(run["config"])


def test_weights_are_safetensors_and_all_files_are_in_the_manifest(tiny_checkpoint: Path) -> None:
    assert is_intact(tiny_checkpoint)
    suffixes = {path.suffix for path in tiny_checkpoint.rglob("*") if path.is_file()}
    assert suffixes == {".json", ".safetensors", ".py"}


def test_large_weights_are_published_in_half_precision_and_training_keeps_its_own(
    tiny_pipeline: FashionDDPMPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fashion_ddpm.diffusion.save_checkpoint.MAX_FILE_BYTES", 1000)
    save_checkpoint(tiny_pipeline, tmp_path / "half", TINY, {})
    assert json.loads((tmp_path / "half" / "run.json").read_text())["weights"] == "float16"
    assert tiny_pipeline.unet.dtype == torch.float32
    published = load_pipeline(tmp_path / "half").unet
    for ours, theirs in zip(tiny_pipeline.unet.parameters(), published.parameters(), strict=True):
        assert theirs.dtype == torch.float32
        assert torch.equal(ours.half().float(), theirs)
