"""Tests that checkpoints of another kind are refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import MANIFEST
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.diffusion.pipeline import load_pipeline

SMALL: dict[str, Any] = {
    "sample_size": 28,
    "in_channels": 1,
    "out_channels": 1,
    "block_out_channels": (8, 8),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D"),
    "norm_num_groups": 4,
    "num_class_embeds": 11,
}


def save_foreign(folder: Path, **changes: Any) -> Path:
    """Save a diffusers pipeline without this package's files."""
    DDPMPipeline(UNet2DModel(**{**SMALL, **changes}), DDPMScheduler()).save_pretrained(folder)
    return folder


def test_a_foreign_checkpoint_without_manifest_and_class_names_loads(tmp_path: Path) -> None:
    pipeline = load_pipeline(save_foreign(tmp_path / "foreign"))
    assert pipeline.class_names == CLASS_NAMES
    assert pipeline.name_or_path == str(tmp_path / "foreign")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_class_embeds": 10}, "has 10 class embeddings, but 10 classes and the null label"),
        ({"num_class_embeds": None}, "has 0 class embeddings"),
        ({"num_class_embeds": None, "class_embed_type": "timestep"}, "has 0 class embeddings"),
        ({"in_channels": 3, "out_channels": 3}, "names no classes in id2label"),
        ({"sample_size": 32}, "names no classes in id2label"),
        ({"out_channels": 3}, "has in_channels 1, but out_channels 3"),
    ],
)
def test_a_network_for_other_images_is_refused(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(CheckpointError, match=expected):
        load_pipeline(save_foreign(tmp_path / "foreign", **changes))


def change(**entries: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.update(entries)


@pytest.mark.parametrize(
    ("name", "spoil", "expected"),
    [
        ("model_index.json", change(_class_name="StableDiffusionPipeline"), "asks for the class"),
        ("model_index.json", change(_class_name=["pipeline", "Evil"]), r"\['pipeline', 'Evil'\]"),
        ("model_index.json", change(unet=["evil", "UNet2DModel"]), "asks for unet"),
        ("model_index.json", change(scheduler=["diffusers", "PNDMScheduler"]), "for scheduler"),
        ("model_index.json", lambda content: content.pop("unet"), "asks for unet None"),
        (
            "model_index.json",
            change(auto_map={"AutoModel": "a.B"}),
            "code of its own with auto_map",
        ),
        ("model_index.json", change(id2label={"0": "boot"}), "but 1 classes and the null label"),
        ("model_index.json", change(id2label=["boot"] * 10), "must name the labels 0, 1, 2"),
        ("model_index.json", change(id2label={"1": "boot"}), "must name the labels 0, 1, 2"),
        ("model_index.json", change(id2label={"0": "<b>"}), "holds no slash, bar or angle bracket"),
        ("unet/config.json", change(_class_name="UNet2DConditionModel"), "asks for _class_name"),
        ("unet/config.json", change(auto_map={"AutoModel": "a.B"}), "code of its own"),
        ("unet/config.json", change(quantization_config={"quant_method": "x"}), "code of its own"),
        ("unet/config.json", change(block_out_channels=[8, 16, 16]), "could not be loaded"),
        ("unet/config.json", change(layers_per_block=2), "could not be loaded"),
        ("unet/config.json", change(down_block_types=["Evil"] * 3), "could not be loaded"),
        ("scheduler/scheduler_config.json", change(_class_name="PNDMScheduler"), "asks for"),
        ("scheduler/scheduler_config.json", change(prediction_type="evil"), "no noise schedule"),
        ("scheduler/scheduler_config.json", change(num_train_timesteps=1), "no noise schedule"),
        ("scheduler/scheduler_config.json", change(beta_schedule="evil"), "could not be loaded"),
        (
            "scheduler/scheduler_config.json",
            change(beta_schedule="linear", beta_end=float("nan")),
            "no noise schedule",
        ),
    ],
)
def test_invalid_config_files_are_refused(
    tiny_checkpoint: Path,
    tmp_path: Path,
    name: str,
    spoil: Callable[[dict[str, Any]], object],
    expected: str,
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_checkpoint, copy)
    (copy / MANIFEST).unlink()
    content = json.loads((copy / name).read_text())
    spoil(content)
    (copy / name).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=expected) as caught:
        load_pipeline(copy)
    assert "\n" not in str(caught.value)


def test_half_precision_weights_load_as_float32(tmp_path: Path) -> None:
    folder = save_foreign(tmp_path / "foreign")
    half = UNet2DModel.from_pretrained(folder, subfolder="unet", dtype=torch.float16)
    half.save_pretrained(folder / "unet")
    assert load_pipeline(folder).unet.dtype == torch.float32
