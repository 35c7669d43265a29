"""A class-conditional diffusion pipeline that needs diffusers and torch alone.

This file is saved with every checkpoint as pipeline.py, so that diffusers can load it anywhere:

    pipe = DiffusionPipeline.from_pretrained(folder_or_repository, trust_remote_code=True)
    pipe("ankle boot", num_images_per_prompt=4, generator=torch.Generator().manual_seed(0)).images
"""

import inspect
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput, SchedulerMixin, UNet2DModel
from diffusers.image_processor import VaeImageProcessor
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

PIPELINE_FILE = "pipeline.py"
"""This file's name in a checkpoint."""

Labels = str | int | Sequence[str | int]
Generators = torch.Generator | list[torch.Generator]


class ClassConditionalPipeline(DiffusionPipeline):
    """A UNet with class embeddings, and the scheduler that draws with it.

    The scheduler can be replaced as in other pipelines:

        pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)

    Args:
        unet: the last of its class embeddings stands for "no class".
        scheduler: a distilled network draws with its own alone.
        id2label: label, as a string → class name.
        sampler: "turbo" if the network is distilled for a few steps, else None.
    """

    model_cpu_offload_seq = "unet"

    def __init__(
        self,
        unet: UNet2DModel,
        scheduler: SchedulerMixin,
        id2label: dict[str, str] | None = None,
        sampler: str | None = None,
    ) -> None:
        super().__init__()
        self.register_modules(unet=unet, scheduler=scheduler)
        given = {"id2label": id2label, "sampler": sampler}
        self.register_to_config(**{name: value for name, value in given.items() if value})

    @property
    def is_distilled(self) -> bool:
        """Whether the network was distilled for a few steps of its own scheduler."""
        return self.config.get("sampler") is not None

    def save_config(self, save_directory: str | Path, *args: Any, **kwargs: Any) -> None:
        """Write model_index.json, and this file beside it, by which diffusers loads the folder."""
        super().save_config(save_directory, *args, **kwargs)
        folder = Path(save_directory)
        shutil.copyfile(__file__, folder / PIPELINE_FILE)
        index = json.loads((folder / self.config_name).read_text())
        index.pop("_name_or_path", None)  # a path of the machine where it is saved
        index["_class_name"] = [Path(PIPELINE_FILE).stem, ClassConditionalPipeline.__name__]
        (folder / self.config_name).write_text(json.dumps(index, indent=2) + "\n")

    def label_ids(self, class_labels: Labels) -> list[int]:
        """Return the labels of class names or labels, one or several.

        Raises:
            ValueError: there is no such class.
        """
        names = {name: int(label) for label, name in self.config["id2label"].items()}
        given = [class_labels] if isinstance(class_labels, (str, int)) else class_labels
        labels = [names.get(label, label) if isinstance(label, str) else label for label in given]
        for label in labels:
            if label not in names.values():
                raise ValueError(
                    f"class_labels has {label!r}; it must be one of {', '.join(names)}, or a "
                    f"number from 0 to {len(names) - 1}."
                )
        return [int(label) for label in labels]

    @torch.no_grad()
    def __call__(
        self,
        class_labels: Labels,
        *,
        num_images_per_prompt: int = 1,
        num_inference_steps: int | None = None,
        guidance_scale: float = 1.0,
        generator: Generators | None = None,
        eta: float = 0.0,
        latents: Tensor | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: Callable[..., dict[str, Tensor]] | None = None,
    ) -> ImagePipelineOutput | tuple[Any]:
        """Return images of the given classes.

        Args:
            class_labels: a class name or label, or N of them.
            num_images_per_prompt: images of each.
            num_inference_steps: network evaluations an image, twice as many with guidance;
                default: 50, or 4 of a distilled network.
            guidance_scale: classifier-free guidance, uncond + scale · (cond − uncond); 1.0 is off.
            generator: for the noise; a list has one an image.
            eta: of DDIM, between 0 (deterministic) and 1; other schedulers have none.
            latents: the initial noise, [N, C, S, S], instead of that of the generator.
            output_type: "pil", "np" or "pt"; the latter two with values in [0, 1].
            return_dict: whether to return an ImagePipelineOutput rather than a tuple.
            callback_on_step_end: called as (pipe, step, timestep, {"latents": x}) after each step;
                latents in its result replace x, and pipe._interrupt = True ends the loop.

        Raises:
            ValueError: a class, guidance_scale or output_type is not possible.
        """
        self._check(guidance_scale, output_type)
        device, unet, scheduler = self._execution_device, self.unet, self.scheduler
        labels = torch.tensor(self.label_ids(class_labels), device=device)
        labels = labels.repeat_interleave(num_images_per_prompt)
        side, channels = unet.config["sample_size"], unet.config["in_channels"]
        if latents is None:
            latents = randn_tensor((len(labels), channels, side, side), generator, device)
        default_steps = 4 if self.is_distilled else 50
        scheduler.set_timesteps(num_inference_steps or default_steps, device=device)
        x = latents.to(device, torch.float32) * scheduler.init_noise_sigma
        optional = {"generator": generator, "eta": eta}
        accepted = inspect.signature(scheduler.step).parameters
        options = {name: value for name, value in optional.items() if name in accepted}
        self._interrupt = False
        for step, timestep in enumerate(self.progress_bar(scheduler.timesteps)):
            noisy = scheduler.scale_model_input(x, timestep)
            output = self._guided_output(noisy, timestep, labels, guidance_scale)
            x = scheduler.step(output, timestep, x, **options).prev_sample
            if callback_on_step_end:
                x = callback_on_step_end(self, step, timestep, {"latents": x}).get("latents", x)
            if self._interrupt:
                break
        images = VaeImageProcessor(vae_scale_factor=1).postprocess(x, output_type)
        self.maybe_free_model_hooks()
        return ImagePipelineOutput(images) if return_dict else (images,)

    def _check(self, guidance_scale: float, output_type: str) -> None:
        if self.is_distilled and guidance_scale != 1.0:
            raise ValueError(
                f"guidance_scale is {guidance_scale}; this network is distilled for a few steps "
                "without guidance: leave it at 1.0."
            )
        if output_type not in ("pil", "np", "pt"):
            raise ValueError(f"output_type is {output_type!r}; it must be 'pil', 'np' or 'pt'.")

    def _guided_output(
        self, noisy: Tensor, timestep: Tensor, labels: Tensor, scale: float
    ) -> Tensor:
        """Return the network's output in float32, with classifier-free guidance."""
        if scale != 1.0:
            no_class = torch.full_like(labels, self.unet.config["num_class_embeds"] - 1)
            noisy, labels = noisy.repeat(2, 1, 1, 1), torch.cat([labels, no_class])
        output = self.unet(noisy.to(self.unet.dtype), timestep, labels).sample.float()
        if scale == 1.0:
            return output
        conditional, unconditional = output.chunk(2)
        return unconditional + scale * (conditional - unconditional)
