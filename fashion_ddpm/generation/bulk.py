"""The generate command for many images: shards, written by all processes, resumable."""

from pathlib import Path

from tqdm import tqdm

from fashion_ddpm.core.distributed import gather_parts, print_processes, this_process
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import MODEL_KEY, GenerateRequest
from fashion_ddpm.diffusion.pipeline import load_pipeline, short_weights_hash, weights_hash
from fashion_ddpm.generation import files
from fashion_ddpm.generation.command import track_batches
from fashion_ddpm.generation.shards import Shards


def run(
    request: GenerateRequest,
    checkpoint: str | None,
    folder: Path,
    size: int,
    batch_size: int,
) -> None:
    """Generate the missing shards of a folder, on all launched processes.

    Args:
        request: what to generate.
        checkpoint: folder or Hub repository; the bundled one when None.
        folder: new, or of an earlier run with the same settings.
        size: images per shard.
        batch_size: images denoised together; it does not change them.

    Raises:
        UserError: the checkpoint or the folder cannot be used.
    """
    ranks = this_process()
    print_processes(ranks)
    pipeline = load_pipeline(checkpoint or BUNDLED_CHECKPOINT, str(ranks.device))
    pipeline = pipeline.network_for(request.sampler)
    shards = Shards(folder, request, size, weights_hash(pipeline))
    missing = _prepare(shards, ranks.is_main_process)
    total = sum(len(shards.rows(shard)) for shard in missing)
    with tqdm(
        total=request.num_images,
        initial=request.num_images - total,
        unit="image",
        disable=not ranks.is_main_process,
    ) as bar:
        for shard in missing[ranks.process_index :: ranks.num_processes]:
            batches = pipeline.generate_request(request, batch_size, shards.rows(shard))
            finished = track_batches(batches, bar, ranks.num_processes)
            files.save(
                finished, shards.path(shard), request, {MODEL_KEY: short_weights_hash(pipeline)}
            )
    if ranks.is_main_process:
        print(folder)


def _prepare(shards: Shards, is_main: bool) -> list[int]:
    """Check or create the folder; return its missing shards."""
    shards.check()
    gather_parts(None)  # no process writes before all have checked
    if is_main:
        shards.create_folder()
    # One list for all: a late process would find shards that others have just written.
    return gather_parts(shards.find_missing())[0]
