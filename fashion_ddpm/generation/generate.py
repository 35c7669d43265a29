"""Generate one set of images on all processes."""

import time
from dataclasses import dataclass

import torch
from accelerate import PartialState
from torch import Tensor
from tqdm import tqdm

from fashion_ddpm.core.distributed import gather_parts
from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline


@dataclass(frozen=True)
class Generated:
    """Images from all processes, in the order of their seeds.

    Attributes:
        images: N images and their labels.
        finite: bool [N], whether the network's output was finite.
        seconds: time of the slowest process.
    """

    images: LabelledImages
    finite: Tensor
    seconds: float


def generate_together(
    pipeline: FashionDDPMPipeline,
    request: GenerateRequest,
    batch_size: int,
    ranks: PartialState,
    silent: bool = False,
) -> Generated:
    """Generate a share of the images on each process; return all of them on every process.

    The images do not depend on the number of processes.

    Args:
        pipeline: the model.
        request: the images to generate and how.
        batch_size: images denoised together; it does not change them.
        ranks: this process among all.
        silent: whether to hide the progress bar.
    """
    indices = range(ranks.process_index, request.num_images, ranks.num_processes)
    begin = time.monotonic()
    batches = []
    silent = silent or not ranks.is_main_process
    with tqdm(total=len(indices), desc="generate", unit="image", disable=silent) as bar:
        for batch in pipeline.generate_request(request, batch_size, indices):
            batches.append(batch)
            bar.update(len(batch.seeds))
    share = (
        torch.cat([batch.images for batch in batches]),
        torch.cat([batch.finite for batch in batches]),
        time.monotonic() - begin,
    )
    parts = gather_parts(share)
    images = torch.empty(request.num_images, *share[0].shape[1:], dtype=torch.uint8)
    finite = torch.empty(request.num_images, dtype=torch.bool)
    for rank, (part, part_finite, _) in enumerate(parts):
        images[rank :: ranks.num_processes], finite[rank :: ranks.num_processes] = part, part_finite
    seconds = max(part_seconds for _, _, part_seconds in parts)
    return Generated(
        LabelledImages(images, torch.tensor(request.labels()), pipeline.kind), finite, seconds
    )
