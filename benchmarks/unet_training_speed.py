"""Speed of one training step by precision, attention and memory layout.

python -m benchmarks.unet_training_speed prints a Markdown table of images per second: forward,
backward and AdamW. Run it on an idle machine; only ratios within one run mean anything.
"""

import argparse
import statistics
import time
from itertools import product

import torch
from diffusers import UNet2DModel

from benchmarks.tables import row, table
from benchmarks.unet_speed import LAYOUTS
from fashion_ddpm.core.config import TrainConfig, make_train_config
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.diffusion.unet import build_unet, training_layout

WARM_UP_STEPS = 2


def images_per_second(
    unet: UNet2DModel, config: TrainConfig, layout: torch.memory_format, steps: int, bf16: bool
) -> float:
    """Return the speed of the median step."""
    unet = unet.to(memory_format=layout)
    optimizer = torch.optim.AdamW(unet.parameters(), lr=config.learning_rate)
    x = torch.randn(config.batch_size, 1, 28, 28).contiguous(memory_format=layout)
    timesteps, labels = torch.randint(1000, (len(x),)), torch.randint(10, (len(x),))
    times = []
    for _ in range(WARM_UP_STEPS + steps):
        begin = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            output = unet(x, timesteps, labels).sample
        (output.float() - x).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - begin)
    return len(x) / statistics.median(times[WARM_UP_STEPS:])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=128)
    flags = parser.parse_args()
    config = make_train_config("cpu", {"batch_size": flags.batch_size})
    print(table(("precision", "attention", *LAYOUTS)))
    for precision, attention in product(("no", "bf16"), ("fused", "plain")):
        cells = []
        for layout in LAYOUTS.values():
            unet = build_unet(config, kind=FASHION_MNIST)
            if attention == "plain":
                training_layout(unet, torch.device("cpu"))
            speed = images_per_second(unet, config, layout, flags.steps, precision == "bf16")
            cells.append(f"{speed:.0f}")
        print(row([precision, attention, *cells]), flush=True)


if __name__ == "__main__":
    main()
