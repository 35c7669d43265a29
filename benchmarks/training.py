"""Training speed of this repository beside a loop like diffusers' example.

python -m benchmarks.training --data-dir DIR trains the same network in turns with
train_accelerate.py's loop and with the loop of diffusers' example train_unconditional.py (a
DataLoader over decoded pictures, float32, the loss read back and logged at every step), written
from diffusers' public API. It prints images per second and their ratio.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from diffusers import DDPMScheduler
from diffusers.optimization import get_cosine_schedule_with_warmup
from diffusers.training_utils import EMAModel
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from tqdm import tqdm

from benchmarks.tables import table
from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.config import TrainConfig, make_train_config
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.settings import default_data_dir
from fashion_ddpm.data.fashion_mnist import load_split
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.unet import build_unet
from fashion_ddpm.training.loop import train
from fashion_ddpm.training.run_folder import RunFolder

NEVER = 10**9
"""Interval, in images, of work that must not be timed."""


class DecodedImages(Dataset):
    """Decoded pictures, transformed one by one, as in the example."""

    def __init__(self, images: LabelledImages) -> None:
        self.images = images
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = Image.fromarray(self.images.images[index].numpy())
        return self.transform(picture), int(self.images.labels[index])


def example_speed(config: TrainConfig, steps: int) -> float:
    """Return images per second in the second half of the example's loop."""
    accelerator = Accelerator(mixed_precision="no")
    unet, noise_scheduler = build_unet(config, kind=FASHION_MNIST), DDPMScheduler()
    optimizer = torch.optim.AdamW(unet.parameters(), lr=1e-4, betas=(0.95, 0.999))
    lr_scheduler = get_cosine_schedule_with_warmup(optimizer, 500, 10_000)
    loader = DataLoader(
        DecodedImages(load_split(config.data_dir, "train")), config.batch_size, shuffle=True
    )
    unet, optimizer, loader, lr_scheduler = accelerator.prepare(
        unet, optimizer, loader, lr_scheduler
    )
    ema = EMAModel(unet.parameters(), decay=0.9999, use_ema_warmup=True)
    begin, bar, batches = 0.0, tqdm(total=steps, desc="the example's loop"), iter(loader)
    for step in range(steps):
        if step == steps // 2:
            begin = time.monotonic()
        clean, labels = next(batches)
        noise = torch.randn_like(clean)
        timesteps = torch.randint(1000, (len(clean),), device=clean.device)
        noisy = noise_scheduler.add_noise(clean, noise, timesteps)
        output = unet(noisy, timesteps, labels).sample
        loss = torch.nn.functional.mse_loss(output.float(), noise)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step()
        lr_scheduler.step()
        optimizer.zero_grad()
        ema.step(unet.parameters())
        bar.update(1)
        bar.set_postfix(loss=loss.detach().item(), lr=lr_scheduler.get_last_lr()[0])
    bar.close()
    return (steps - steps // 2) * config.batch_size / (time.monotonic() - begin)


def our_speed(config: TrainConfig) -> float:
    """Return images per second in the second half of a run, from its log."""
    train(config)
    log = read_run(RunFolder(config.output_dir).checkpoint)["log"]
    speeds: list[float] = [row["images_per_second"] for row in log if "images_per_second" in row]
    return speeds[-1]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default=default_data_dir())
    parser.add_argument("--steps", type=int, default=24, help="optimizer steps in each turn")
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    ours, theirs = [], []
    for turn in range(arguments.turns):
        with tempfile.TemporaryDirectory() as folder:
            batch = make_train_config("cpu", {}).batch_size
            config = make_train_config(
                "cpu",
                {
                    "data_dir": str(arguments.data_dir),
                    "output_dir": str(Path(folder) / "run"),
                    "images_total": arguments.steps * batch,
                    "log_every": arguments.steps * batch // 2,
                    "validate_every": NEVER,
                    "preview_every": NEVER,
                    "save_every": NEVER,
                    "frechet_every": 0,
                    "report_to": "none",
                    "validation_images": 1,
                    "seed": turn,
                },
            )
            ours.append(our_speed(config))
        AcceleratorState._reset_state(reset_partial_state=True)  # the loops differ in precision
        theirs.append(example_speed(config, arguments.steps))
        AcceleratorState._reset_state(reset_partial_state=True)
    rows = [
        (f"train_accelerate.py, {config.mixed_precision}", f"{median(ours):.0f}"),
        ("as diffusers' example, float32", f"{median(theirs):.0f}"),
        ("ratio", f"{median(ours) / median(theirs):.2f}"),
    ]
    print(table((f"loop, median of {arguments.turns}", "images/s"), rows))


if __name__ == "__main__":
    main()
