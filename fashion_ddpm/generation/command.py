"""The generate command: generate the images of a request into files, and score them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.core.distributed import this_process
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import MODEL_KEY, GenerateRequest, RequestError
from fashion_ddpm.diffusion.pipeline import Batch, load_pipeline, short_weights_hash
from fashion_ddpm.generation import files


def run(
    request: GenerateRequest,
    checkpoint: str | None,
    output: Path,
    batch_size: int,
    scorer_name: str | None,
) -> None:
    """Generate the images of a request, write them, print their scores.

    Args:
        request: what to generate.
        checkpoint: folder or Hub repository; the bundled one when None.
        output: .png for a grid, .npz for arrays, otherwise a folder.
        batch_size: images denoised together; it does not change them.
        scorer_name: the scorer, or None for no scores.

    Raises:
        UserError: the output, the checkpoint or the scorer cannot be used.
    """
    process = this_process()
    if process.num_processes > 1:
        raise RequestError(
            f"generate runs on {process.num_processes} processes, which can only share shards: add "
            "--shard-size and name a folder, or launch one process."
        )
    files.check_output(output)
    pipeline = load_pipeline(checkpoint or BUNDLED_CHECKPOINT, str(process.device))
    scorer = None
    if scorer_name:  # the scorers need transformers, which a base installation lacks
        from fashion_ddpm.scoring.clip import load_scorer

        scorer = load_scorer(scorer_name, pipeline.kind)
    pipeline = pipeline.network_for(request.sampler)
    batches = pipeline.generate_request(request, batch_size)
    extra_settings = {MODEL_KEY: short_weights_hash(pipeline)}
    with tqdm(total=request.num_images, unit="image") as bar:
        finished = track_batches(batches, bar)
        scored = list(finished) if scorer else []
        files.save(scored or finished, output, request, extra_settings)
    print(output)
    if scorer:
        from fashion_ddpm.generation.score_table import score_table

        print(score_table(scorer, scored))


def track_batches(batches: Iterable[Batch], bar: tqdm, processes: int = 1) -> Iterator[Batch]:
    """Yield the batches and count their images.

    Args:
        batches: finished images.
        bar: the progress bar.
        processes: number of processes, whose progress is assumed to equal this one's.

    Raises:
        CheckpointError: the network's output is not finite.
    """
    for batch in batches:
        if not batch.finite.all():
            raise CheckpointError(
                "the network's output is not a number: its weights are broken; name another "
                "--checkpoint."
            )
        yield batch
        bar.update(min(processes * len(batch.seeds), bar.total - bar.n))
