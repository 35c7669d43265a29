"""How fast is one UNet call? By batch size, number format and memory layout, on this machine.

python -m benchmarks.unet_speed prints a Markdown table of milliseconds an image. Run it on a
machine that does nothing else; only the ratios within one run mean anything.
"""

import argparse
import statistics
import time

import torch

from fashion_ddpm.pipeline import BUNDLED_CHECKPOINT, FashionDDPMPipeline, load_pipeline

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
REPEATS = 9


@torch.no_grad()
def milliseconds(pipeline: FashionDDPMPipeline, batch: int, half: bool, layout: str) -> float:
    """Returns the median time of a call, per image."""
    unet = pipeline.unet.to(memory_format=LAYOUTS[layout])
    x = torch.randn(batch, 1, 28, 28).contiguous(memory_format=LAYOUTS[layout])
    timesteps, labels = torch.full((batch,), 500.0), torch.zeros(batch, dtype=torch.long)
    times = []
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        for _ in range(REPEATS):
            begin = time.perf_counter()
            unet(x, timesteps, labels)
            times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times[2:]) / batch


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default=BUNDLED_CHECKPOINT)
    pipeline = load_pipeline(parser.parse_args().checkpoint)
    kinds = [(half, layout) for half in (False, True) for layout in LAYOUTS]
    names = [f"{'bf16' if half else 'float32'}, {layout}" for half, layout in kinds]
    print(f"| batch | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    for batch in BATCH_SIZES:
        times = [f"{milliseconds(pipeline, batch, *kind):.1f}" for kind in kinds]
        print(f"| {batch} | {' | '.join(times)} |", flush=True)


if __name__ == "__main__":
    main()
