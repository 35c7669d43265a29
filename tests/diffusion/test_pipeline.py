"""Tests of loading, generating and saving as a diffusers pipeline."""

import shutil
from pathlib import Path

import pytest
import torch

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import distilled_folder, read_run
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.sampling import SamplingSettings
from tests.tools.local_hub import run_python, serve_local_hub

FAST = SamplingSettings(num_inference_steps=3)


def test_the_batch_size_changes_no_image(tiny_pipeline: FashionDDPMPipeline) -> None:
    labels, seeds = list(range(10)), range(40, 50)
    whole = [batch.images for batch in tiny_pipeline.generate(labels, seeds, FAST)]
    parts = list(tiny_pipeline.generate(labels, seeds, FAST, batch_size=3))
    assert [len(batch.seeds) for batch in parts] == [3, 3, 3, 1]
    assert torch.equal(torch.cat(whole), torch.cat([batch.images for batch in parts]))


def test_calling_it_gives_one_image_a_label_from_consecutive_seeds(
    tiny_pipeline: FashionDDPMPipeline,
) -> None:
    images = tiny_pipeline([1, 2], seed=5, settings=FAST)
    (second,) = tiny_pipeline.generate([2], [6], FAST)
    assert images.dtype == torch.uint8
    assert torch.equal(images[1:], second.images)


def test_options_of_the_other_call_are_not_dropped(tiny_pipeline: FashionDDPMPipeline) -> None:
    with pytest.raises(ValueError, match="guidance_scale, eta cannot be given with seed or"):
        tiny_pipeline([1], seed=5, guidance_scale=2.0, eta=0.5)
    assert len(tiny_pipeline([1], num_images_per_prompt=2, num_inference_steps=1).images) == 2


def test_a_saved_pipeline_loads_and_draws_the_same(
    tiny_pipeline: FashionDDPMPipeline, tiny_checkpoint: Path
) -> None:
    loaded = load_pipeline(tiny_checkpoint)
    assert loaded.class_names == CLASS_NAMES
    assert torch.equal(loaded([3], settings=FAST), tiny_pipeline([3], settings=FAST))


def test_the_bundled_checkpoint_is_whole_and_says_how_it_was_trained() -> None:
    assert is_intact(BUNDLED_CHECKPOINT)
    run = read_run(BUNDLED_CHECKPOINT)
    assert run["images_seen"] >= 8 * 55_000
    assert load_pipeline(BUNDLED_CHECKPOINT).unet.dtype == torch.float32


def test_a_folder_without_a_checkpoint_costs_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no model_index\.json"):
        load_pipeline(tmp_path)


def test_a_repository_that_cannot_be_reached_costs_one_sentence() -> None:
    with pytest.raises(CheckpointError, match="could not be loaded"):
        load_pipeline("nobody/nothing")


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.safetensors", "config.json"])
def test_a_damaged_checkpoint_costs_one_sentence(
    tiny_checkpoint: Path, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_checkpoint, copy)
    (copy / "unet" / name).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="could not be loaded"):
        load_pipeline(copy)


TURBO = SamplingSettings(sampler="turbo", num_inference_steps=2)


def test_turbo_draws_with_the_distilled_network_beside_a_checkpoint(
    checkpoint_with_turbo: Path,
) -> None:
    teacher = load_pipeline(checkpoint_with_turbo)
    distilled = load_pipeline(distilled_folder(checkpoint_with_turbo))
    assert not teacher.is_distilled
    assert distilled.is_distilled
    assert torch.equal(teacher([3], settings=TURBO), distilled([3], settings=TURBO))
    assert not torch.equal(teacher([3], settings=FAST), distilled([3], settings=FAST))
    assert torch.equal(distilled([3], seed=0), distilled([3], settings=distilled.default_settings))
    assert distilled.default_settings.sampler == "turbo"


def test_the_distilled_network_of_another_network_is_refused(
    checkpoint_with_turbo: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "tiny"
    shutil.copytree(distilled_folder(checkpoint_with_turbo), distilled_folder(copy))
    load_pipeline(BUNDLED_CHECKPOINT).save_pretrained(copy)
    with pytest.raises(CheckpointError, match="was not distilled from"):
        load_pipeline(copy).network_for("turbo")


def test_turbo_without_a_distilled_network_costs_one_sentence(
    tiny_pipeline: FashionDDPMPipeline, tiny_checkpoint: Path
) -> None:
    for pipeline in (tiny_pipeline, load_pipeline(tiny_checkpoint)):
        with pytest.raises(CheckpointError, match="sampler turbo needs a distilled network"):
            pipeline([3], settings=TURBO)


def test_same_seed_gives_same_image_in_any_batch_with_turbo(checkpoint_with_turbo: Path) -> None:
    pipeline = load_pipeline(checkpoint_with_turbo)
    for steps in (1, 2, 4):
        settings = SamplingSettings(sampler="turbo", num_inference_steps=steps)
        *_, alone = pipeline.stream([9], [0], settings)
        *_, together = pipeline.stream([*range(10), 9], [*range(50, 60), 0], settings)
        assert alone.clean.isfinite().all()
        assert torch.equal(alone.clean[0], together.clean[10])


PUSH = """
import sys
from fashion_ddpm.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.sampling import SamplingSettings
pipeline = load_pipeline(sys.argv[1])
pipeline.push_to_hub("ada/tiny", private=True)
pushed = FashionDDPMPipeline.from_pretrained("ada/tiny")
print(pushed.class_names == pipeline.class_names)
fast = SamplingSettings(num_inference_steps=3)
print(bool((pushed([3], settings=fast) == pipeline([3], settings=fast)).all()))
"""


def test_a_pipeline_pushed_to_the_hub_loads_from_there_and_draws_the_same(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    with serve_local_hub() as hub:
        printed = run_python(hub, tmp_path, "-c", PUSH, str(tiny_checkpoint))
        stored = hub.repos["model", "ada/tiny"]
    assert printed.split() == ["True", "True"]
    assert stored.settings["visibility"] == "private"
    assert "unet/diffusion_pytorch_model.safetensors" in stored.files
