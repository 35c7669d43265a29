"""The subcommands; each imports the heavy modules that it needs."""

import argparse
import contextlib
import sys
from typing import Any

from fashion_ddpm.core.config import ClassifierConfig, ScorerConfig
from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.paths import INSTALLED_ROOT, PACKAGE, ROOT
from fashion_ddpm.core.requests import SETTINGS, GenerateRequest, RequestError, sampler_defaults
from fashion_ddpm.core.settings import default_data_dir, given_flags

STOPPED_EXIT_STATUS = 75
"""Exit status of a command that was interrupted and can be resumed (EX_TEMPFAIL)."""


class CloneError(UserError):
    """A command that changes files of the repository, outside a clone."""


def check_clone() -> None:
    """Raise CloneError if this code does not run from a clone of the repository."""
    if ROOT == INSTALLED_ROOT:
        raise CloneError(
            f"this command changes files of the repository, but runs from {PACKAGE}, where they "
            "are installed; run it in a clone."
        )


def parse_request(arguments: argparse.Namespace) -> GenerateRequest:
    """Return the request that the flags describe."""
    if arguments.batch_size < 1:
        raise RequestError(f"--batch-size is {arguments.batch_size}; it must be at least 1.")
    given = {name: getattr(arguments, name) for name in SETTINGS}
    settings = sampler_defaults(arguments.sampler, arguments.default_steps)
    settings |= {name: value for name, value in given.items() if value is not None}
    if arguments.checkpoint:  # the default class names are those of the bundled one
        from fashion_ddpm.checkpoints.locate import read_class_names

        settings["class_names"] = read_class_names(arguments.checkpoint)
    return GenerateRequest(**settings)


def run_generate(arguments: argparse.Namespace) -> int:
    """Generate images, write them, and score them if requested."""
    request = parse_request(arguments)
    from fashion_ddpm.generation.shards import shard_size

    size = shard_size(arguments.output, request.num_images, arguments.shard_size)
    if size:
        if arguments.score:
            raise RequestError("--score needs all images in memory; shards are made without it.")
        from fashion_ddpm.generation import bulk

        bulk.run(request, arguments.checkpoint, arguments.output, size, arguments.batch_size)
        return 0
    from fashion_ddpm.generation import command

    command.run(
        request,
        checkpoint=arguments.checkpoint,
        output=arguments.output,
        batch_size=arguments.batch_size,
        scorer_name=arguments.scorer if arguments.score else None,
    )
    return 0


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Evaluate a checkpoint, write a report and print its table."""
    request = parse_request(arguments)
    from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
    from fashion_ddpm.evaluation.command import Evaluation, evaluate
    from fashion_ddpm.evaluation.measurements import metric_names
    from fashion_ddpm.evaluation.report import metrics_table
    from fashion_ddpm.evaluation.requirements import check_requirements, parse_requirement
    from fashion_ddpm.scoring.clip import SCORERS

    scorers = arguments.scorer or SCORERS
    names = metric_names(scorers)
    requirements = [parse_requirement(text, names) for text in arguments.require]
    evaluation = Evaluation(
        request,
        checkpoint=arguments.checkpoint or BUNDLED_CHECKPOINT,
        data=_build_config(arguments, DataSettings),
        reference=arguments.reference,
        batch_size=arguments.batch_size,
        classifier=arguments.classifier,
        scorers=scorers,
        inception_weights=arguments.inception_weights,
        backend=arguments.backend,
    )
    report = evaluate(evaluation, arguments.output)
    if report is None:  # another process writes it
        return 0
    print("\n".join([*report.warnings, metrics_table(report), str(arguments.output)]))
    missed = check_requirements(report, requirements)
    print("".join(f"{sentence}\n" for sentence in missed), end="", file=sys.stderr)
    return 1 if missed else 0


def run_results(arguments: argparse.Namespace) -> int:
    """Write the results of the bundled checkpoint into the README and the model cards."""
    check_clone()
    from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
    from fashion_ddpm.publishing.model_card import write_results

    write_results(arguments.readme, BUNDLED_CHECKPOINT, arguments.evaluation)
    return 0


def run_publish(arguments: argparse.Namespace) -> int:
    """Upload a checkpoint and Spaces; with --dry-run only write and check them."""
    if arguments.static_space:
        arguments.extra += ",web"
    from fashion_ddpm.publishing.command import Publication, publish

    for line in publish(Publication(**given_flags(arguments, Publication))):
        print(line, flush=True)
    return 0


def run_export_web(arguments: argparse.Namespace) -> int:
    """Write a static site that draws in the browser; with --serve also serve it."""
    from fashion_ddpm.web.command import WebExport, export_web
    from fashion_ddpm.web.serve import SiteServer

    export = WebExport(**given_flags(arguments, WebExport))
    # The port is taken first: a used one is reported before a minute of work.
    taken = SiteServer(export.output, arguments.host, arguments.port) if arguments.serve else None
    with taken or contextlib.nullcontext() as server:
        for line in export_web(export):
            print(line, flush=True)
        if server:
            print(f"The site is at {server.address}; Ctrl-C ends it.", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                server.serve_forever()
    return 0


def run_train_all(arguments: argparse.Namespace) -> int:
    """Train, distil and evaluate a network."""
    from fashion_ddpm.cli.train_all import TrainAll, train_all

    plan = TrainAll(
        data=_build_config(arguments, DataSettings),
        preset=arguments.preset,
        minutes=arguments.minutes,
        num_images=arguments.num_images,
        output=arguments.output_dir,
    )
    finished = train_all(plan)
    print(plan.output if finished else "stopped; run the same command to go on")
    return 0 if finished else STOPPED_EXIT_STATUS


def run_rebuild_average(arguments: argparse.Namespace) -> int:
    """Write a checkpoint with an average of another length."""
    from fashion_ddpm.training.saving import rebuild_checkpoint

    print(rebuild_checkpoint(arguments.folder, arguments.length, arguments.at, arguments.output))
    return 0


def run_preview(arguments: argparse.Namespace) -> int:
    """Draw the preview of a checkpoint, named after the images that it has seen."""
    from fashion_ddpm.checkpoints.locate import read_run, total_images_seen
    from fashion_ddpm.diffusion.pipeline import load_pipeline
    from fashion_ddpm.generation.preview import draw_preview_share, preview_name, save_preview

    pipeline = load_pipeline(arguments.checkpoint)
    arguments.output_dir.mkdir(parents=True, exist_ok=True)
    path = arguments.output_dir / preview_name(total_images_seen(read_run(arguments.checkpoint)))
    save_preview(draw_preview_share(pipeline), path)
    print(path)
    return 0


def run_gallery(arguments: argparse.Namespace) -> int:
    """Draw the images that the demo shows at start."""
    check_clone()
    from fashion_ddpm.demo.gallery import GALLERY, STORY, make_gallery

    make_gallery(arguments.student_checkpoint)
    print(GALLERY)
    print(STORY)
    return 0


def run_neighbours(arguments: argparse.Namespace) -> int:
    """Build the index in which the demo looks up the nearest training image."""
    check_clone()
    from fashion_ddpm.data.fashion_mnist import load_split
    from fashion_ddpm.evaluation.nearest_training_image import (
        NEIGHBOUR_INDEX,
        build_index,
        save_index,
    )

    train, test = (load_split(arguments.data_dir, split).images for split in ("train", "test"))
    save_index(build_index(train, test))
    print(NEIGHBOUR_INDEX)
    return 0


def _build_config(arguments: argparse.Namespace, config_class: type) -> Any:
    """Return a config with the given flags, and defaults for other fields."""
    return config_class(**{"data_dir": default_data_dir(), **given_flags(arguments, config_class)})


def run_train_scorer(arguments: argparse.Namespace) -> int:
    """Train the embedded scorer."""
    config = _build_config(arguments, ScorerConfig)
    from fashion_ddpm.checkpoints.run_lock import acquire_run_lock, lock_path
    from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
    from fashion_ddpm.diffusion.pipeline import load_pipeline
    from fashion_ddpm.scoring.train_clip import train_scorer

    with acquire_run_lock(lock_path(config.output_dir)):
        pipeline = load_pipeline(arguments.checkpoint or BUNDLED_CHECKPOINT)
        print(train_scorer(config, pipeline))
    return 0


def run_train_classifier(arguments: argparse.Namespace) -> int:
    """Train the classifier."""
    config = _build_config(arguments, ClassifierConfig)
    from fashion_ddpm.checkpoints.run_lock import acquire_run_lock, lock_path
    from fashion_ddpm.scoring.train_classifier import train_classifier

    with acquire_run_lock(lock_path(config.output_dir)):
        print(train_classifier(config))
    return 0
