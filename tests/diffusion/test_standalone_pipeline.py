"""Tests of the pipeline that diffusers loads without this package."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DiffusionPipeline, DPMSolverMultistepScheduler, LCMScheduler
from PIL import Image
from torch import Tensor

from fashion_ddpm.core.image_kind import CLASS_NAMES, NULL_LABEL
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.diffusion import standalone_pipeline
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline, load_pipeline
from fashion_ddpm.diffusion.standalone_pipeline import PIPELINE_FILE, ClassConditionalPipeline
from fashion_ddpm.scoring.classifier import load_classifier

ROOT = Path(__file__).parent.parent.parent
TURBO_CHECKPOINT = BUNDLED_CHECKPOINT.with_name("fashion-mnist-turbo")
BOTH = (BUNDLED_CHECKPOINT, TURBO_CHECKPOINT)

STRANGER = """
import sys
sys.modules.update(dict.fromkeys(("fashion_ddpm", "accelerate", "gradio", "transformers")))
import numpy as np
for checkpoint, output in zip(sys.argv[1::2], sys.argv[2::2]):
    exec(open("lines.py").read().replace("checkpoints/fashion-mnist", checkpoint))
    print(type(pipe.scheduler).__name__, len(images))
    np.savez(output, *map(np.asarray, images))
"""
"""A program without this package that runs the README's lines on both checkpoints."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(pipe: Any, labels: Any = ("bag", 1), **options: Any) -> Tensor:
    """Return images in two steps, if nothing else is said: float [N, C, H, W]."""
    options = {"num_inference_steps": 2, "generator": seeded(), **options}
    images: Tensor = pipe(labels, output_type="pt", **options).images
    return images


def same(images: Tensor, others: Tensor) -> bool:
    """Return whether images are equal but for rounding, which differs by batch and layout."""
    return torch.allclose(images, others, atol=1e-4)


@pytest.fixture
def pipe(tiny_checkpoint: Path) -> Any:
    """The small untrained network, loaded by diffusers."""
    return DiffusionPipeline.from_pretrained(tiny_checkpoint, trust_remote_code=True)


def test_the_readmes_lines_draw_the_same_without_this_package(tmp_path: Path) -> None:
    (lines,) = re.findall(
        r"```python\n([^`]*DiffusionPipeline[^`]*)```", (ROOT / "README.md").read_text()
    )
    (tmp_path / "lines.py").write_text(lines)
    outputs = [tmp_path / f"{checkpoint.name}.npz" for checkpoint in BOTH]
    arguments = [str(path) for pair in zip(BOTH, outputs, strict=True) for path in pair]
    printed = subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, *arguments],
        cwd=tmp_path,
        env={"HF_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.split() == ["DDPMScheduler", "4", "LCMScheduler", "4"]
    for checkpoint, output in zip(BOTH, outputs, strict=True):
        ours = load_pipeline(checkpoint)(
            "ankle boot", num_images_per_prompt=4, num_inference_steps=20, generator=seeded()
        ).images
        for theirs, image in zip(np.load(output).values(), ours, strict=True):
            assert np.abs(theirs.astype(int) - np.asarray(image)).max() <= 1


def test_every_checkpoint_carries_the_file(tiny_checkpoint: Path) -> None:
    code = Path(standalone_pipeline.__file__).read_text()
    for folder in (tiny_checkpoint, *BOTH):
        assert (folder / PIPELINE_FILE).read_text() == code
        assert "_name_or_path" not in (folder / "model_index.json").read_text()
    imported = re.findall(r"^(?:from|import) ([a-z_]+)", code, re.MULTILINE)
    assert set(imported) - sys.stdlib_module_names == {"diffusers", "torch"}


def test_what_diffusers_saves_again_loads_everywhere(pipe: Any, tmp_path: Path) -> None:
    pipe.save_pretrained(tmp_path)
    again = DiffusionPipeline.from_pretrained(tmp_path, trust_remote_code=True)
    assert torch.equal(draw(again), draw(pipe))
    assert same(draw(load_pipeline(tmp_path)), draw(pipe))


def test_code_is_run_only_where_it_is_trusted(tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="trust_remote_code"):
        DiffusionPipeline.from_pretrained(tiny_checkpoint)
    assert type(FashionDDPMPipeline.from_pretrained(tiny_checkpoint)) is FashionDDPMPipeline


def test_classes_have_names_and_numbers(pipe: Any) -> None:
    by_name = draw(pipe, ["bag", "ankle boot"])
    assert torch.equal(by_name, draw(pipe, [8, "ankle boot"]))
    assert len(draw(pipe, "bag")) == len(draw(pipe, 8)) == 1
    assert pipe.label_ids(["bag", 1]) == [8, 1]
    assert draw(pipe, ["bag", 1], num_images_per_prompt=2).shape == (4, 1, 28, 28)


def test_names_that_are_numbers_are_names_only_as_texts(tiny_pipeline: Any) -> None:
    names = {str(label): str(9 - label) for label in range(10)}
    pipe = ClassConditionalPipeline(tiny_pipeline.unet, tiny_pipeline.scheduler, names)
    assert pipe.label_ids(["2", 2]) == [7, 2]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"labels": "hat"}, r"class_labels has 'hat'; it must be one of T-shirt, .*or a number"),
        ({"labels": [0, NULL_LABEL]}, "class_labels has 10; .* from 0 to 9"),
        ({"output_type": "gif"}, "output_type is 'gif'; it must be 'pil', 'np' or 'pt'"),
    ],
)
def test_mistakes_cost_one_sentence(pipe: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        pipe(options.pop("labels", 0), **options)


def test_images_come_as_pictures_arrays_and_tensors(pipe: Any) -> None:
    options = {"num_inference_steps": 2, "return_dict": False}
    (tensor,) = pipe(5, output_type="pt", generator=seeded(), **options)
    (array,) = pipe(5, output_type="np", generator=seeded(), **options)
    ((picture,),) = pipe(5, generator=seeded(), **options)
    assert isinstance(picture, Image.Image)
    assert 0 <= tensor.min() < tensor.max() <= 1
    assert np.array_equal(array[..., 0], tensor[:, 0])
    assert np.abs(np.asarray(picture) / 255 - array[0, ..., 0]).max() < 0.003


def test_noise_comes_from_the_generators_or_is_given(pipe: Any) -> None:
    noise = torch.randn(2, 1, 28, 28, generator=seeded())
    one_each = draw(pipe, [3, 3], generator=[seeded(4), seeded(5)])
    assert same(one_each[1:], draw(pipe, 3, generator=seeded(5)))
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    assert torch.equal(draw(pipe, [3, 4], latents=noise), draw(pipe, [3, 4]))


def test_schedulers_are_replaced_and_get_what_they_take(tiny_checkpoint: Path) -> None:
    pipe = DiffusionPipeline.from_pretrained(tiny_checkpoint, trust_remote_code=True)
    found = [draw(pipe)]
    for scheduler in (DDIMScheduler, DPMSolverMultistepScheduler):
        pipe.scheduler = scheduler.from_config(pipe.scheduler.config)
        found.append(draw(pipe))
        if scheduler is DDIMScheduler:
            found.append(draw(pipe, eta=1.0))
    assert all(images.isfinite().all() for images in found)
    assert len({images.numpy().tobytes() for images in found}) == 4


def test_guidance_adds_the_difference_from_no_class_again(pipe: Any) -> None:
    outputs, noisy, timestep = [], torch.randn(1, 1, 28, 28, generator=seeded()), torch.tensor(500)
    for scale in (1.0, 2.0, 3.0):
        outputs.append(pipe._guided_output(noisy, timestep, torch.tensor([2]), scale))
    no_class = pipe.unet(noisy, timestep, torch.tensor([NULL_LABEL])).sample
    for more, less in ((outputs[1], outputs[0]), (outputs[2], outputs[1])):
        assert same(more - less, outputs[0] - no_class)
        assert not same(more, less)
    assert not same(draw(pipe, guidance_scale=3.0), draw(pipe))


def test_a_callback_sees_each_step_may_change_it_and_may_end_the_loop(pipe: Any) -> None:
    seen = []

    def blacken(pipe: Any, step: int, timestep: Tensor, tensors: dict[str, Tensor]) -> Any:
        seen.append((step, int(timestep)))
        pipe._interrupt = step == 1
        return {"latents": torch.full_like(tensors["latents"], -1)}

    images = draw(pipe, 0, num_inference_steps=5, callback_on_step_end=blacken)
    assert seen == [(0, 999), (1, 799)]
    assert not images.any()


def test_half_precision_draws_nearly_the_same(tiny_checkpoint: Path) -> None:
    half = DiffusionPipeline.from_pretrained(
        tiny_checkpoint, trust_remote_code=True, dtype=torch.bfloat16
    )
    full = DiffusionPipeline.from_pretrained(tiny_checkpoint, trust_remote_code=True)
    assert half.unet.dtype == torch.bfloat16
    assert (draw(half) - draw(full)).abs().mean() < 0.02


def test_a_distilled_network_takes_four_steps_without_guidance(checkpoint_with_turbo: Path) -> None:
    folder = checkpoint_with_turbo.with_name(f"{checkpoint_with_turbo.name}-turbo")
    pipe: Any = DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)
    assert isinstance(pipe.scheduler, LCMScheduler)
    draw(pipe, num_inference_steps=None)
    assert pipe.scheduler.timesteps.tolist() == [999, 749, 499, 249]
    with pytest.raises(ValueError, match=r"guidance_scale is 2\.0; this network is distilled"):
        draw(pipe, guidance_scale=2.0)


@pytest.mark.parametrize("checkpoint", BOTH, ids=["network", "distilled"])
def test_the_bundled_networks_draw_what_is_asked_for(checkpoint: Path) -> None:
    pipe = load_pipeline(checkpoint)
    if not pipe.is_distilled:
        pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    steps = 4 if pipe.is_distilled else 15
    images = draw(pipe, list(CLASS_NAMES) * 2, num_inference_steps=steps)
    logits = load_classifier()(2 * images - 1)
    assert (logits.argmax(1) == torch.arange(20) % 10).sum() >= 15
