"""The generate command: generate the images of a request into files, and score them."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.core.distributed import this_process
from fashion_ddpm.core.image_kind import CLEAR_PROMPT
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.requests import MODEL_KEY, GenerateRequest, RequestError
from fashion_ddpm.diffusion.pipeline import Batch, load_pipeline, short_weights_hash
from fashion_ddpm.generation import files
from fashion_ddpm.scoring.clip import ClipScorer, load_scorer
from fashion_ddpm.scoring.clip_baseline import load_baseline


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
    scorer = load_scorer(scorer_name, pipeline.kind) if scorer_name else None
    pipeline = pipeline.network_for(request.sampler)
    batches = pipeline.generate_request(request, batch_size)
    extra_settings = {MODEL_KEY: short_weights_hash(pipeline)}
    with tqdm(total=request.num_images, unit="image") as bar:
        finished = track_batches(batches, bar)
        scored = list(finished) if scorer else []
        files.save(scored or finished, output, request, extra_settings)
    print(output)
    if scorer:
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


def score_table(scorer: ClipScorer, batches: list[Batch]) -> str:
    """Return a table: mean probability of the requested label's prompt, and its top-1 accuracy.

    Scores of real test images of each class are shown for comparison, where they are bundled.
    """
    images = torch.cat([batch.images for batch in batches])
    labels = torch.cat([batch.labels for batch in batches])
    scores, baseline = scorer.label_scores(images), load_baseline(scorer)
    quality = scorer.quality_scores(images, labels)
    lines = [
        f"{'class':<12} {'images':>6} {'score':>6} {'real':>6} {'wins':>6} {'clear':>6} {'real':>6}"
    ]
    for label in labels.unique().tolist():
        in_class = labels == label
        real = baseline.labels[label, label] if baseline else math.nan
        real_clear = baseline.quality[label, CLEAR_PROMPT] if baseline else math.nan
        lines.append(
            f"{scorer.kind.class_names[label]:<12} {int(in_class.sum()):>6} "
            f"{scores[in_class, label].mean():>6.3f} {_format(real)} "
            f"{(scores[in_class].argmax(dim=1) == label).float().mean():>6.3f} "
            f"{quality[in_class, CLEAR_PROMPT].mean():>6.3f} {_format(real_clear)}"
        )
    wins = (scores.argmax(dim=1) == labels).float().mean()
    lines.append(f"all: the right label wins for {wins:.1%} of {len(labels):,} images")
    return "\n".join(lines)


def _format(value: Tensor | float) -> str:
    return f"{value:>6.3f}" if math.isfinite(value) else f"{'–':>6}"
