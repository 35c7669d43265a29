"""The command line: python -m fashion_ddpm COMMAND."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from fashion_ddpm import doctor
from fashion_ddpm.config import SAMPLERS, SCHEDULES, TURBO, ClassifierConfig, ScorerConfig
from fashion_ddpm.data_settings import DataSettings
from fashion_ddpm.errors import UserError
from fashion_ddpm.labels import ALL_CLASSES
from fashion_ddpm.request import GenerateRequest, RequestError, usual_steps
from fashion_ddpm.settings import add_flags, default_data_dir
from fashion_ddpm.threads import limit_threads


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of all subcommands."""
    parser = argparse.ArgumentParser(prog="python -m fashion_ddpm", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_generate(commands.add_parser("generate", help="images from a checkpoint"))
    _add_evaluate(commands.add_parser("evaluate", help="measure a checkpoint; write a report"))
    runs = commands.add_parser("runs", help="compare training runs: settings and final figures")
    runs.add_argument("folders", nargs="*", default=["runs"], metavar="DIR", help="default: runs")
    runs.set_defaults(run=run_runs)
    results = commands.add_parser("results", help="write a report into README and model card")
    results.add_argument("--report", type=Path, default=Path("docs/evaluation/report.json"))
    results.add_argument("--readme", type=Path, default=Path("README.md"))
    results.set_defaults(run=run_results)
    gallery = commands.add_parser("gallery", help="draw the demo's first picture")
    gallery.set_defaults(run=run_gallery)
    neighbours = commands.add_parser("neighbours", help="index the training images for the demo")
    neighbours.add_argument("--data-dir", default=default_data_dir(), type=Path)
    neighbours.set_defaults(run=run_neighbours)
    doctor.add_commands(
        commands.add_parser("doctor", help="check the data, a schedule or a scorer")
    )
    _add_publish(commands.add_parser("publish", help="share a checkpoint: a model and a Space"))
    scorer = commands.add_parser("train-scorer", help="train the embedded CLIP")
    scorer.add_argument("--checkpoint", help="diffusion model that gives half-denoised images")
    add_flags(scorer, ScorerConfig)
    scorer.set_defaults(run=run_train_scorer)
    classifier = commands.add_parser("train-classifier", help="train the judge of evaluate")
    add_flags(classifier, ClassifierConfig)
    classifier.set_defaults(run=run_train_classifier)
    return parser


def _add_request(parser: argparse.ArgumentParser, num_images: int) -> None:
    """Adds the flags that say what to generate, from which checkpoint and how."""
    default = GenerateRequest(class_name=ALL_CLASSES)
    parser.add_argument(
        "--checkpoint", help="folder or USER/NAME@REVISION; default: the bundled one"
    )
    parser.add_argument("--class", dest="class_name", default=ALL_CLASSES, help="name, id or all")
    parser.add_argument("--num-images", type=int, default=num_images)
    parser.add_argument("--schedule", default=default.schedule, choices=SCHEDULES)
    parser.add_argument("--sampler", default=default.sampler, choices=(*SAMPLERS, TURBO))
    parser.add_argument(
        "--steps", dest="num_inference_steps", type=int, help="default: 20; turbo: 4"
    )
    parser.add_argument("--guidance-scale", type=float, default=default.guidance_scale)
    parser.add_argument("--guidance-low", type=float, default=default.guidance_low)
    parser.add_argument("--guidance-high", type=float, default=default.guidance_high)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--batch-size", type=int, default=64)


def _request_of(arguments: argparse.Namespace) -> GenerateRequest:
    """Returns the checked request that the flags make."""
    if arguments.batch_size < 1:
        raise RequestError(f"batch_size is {arguments.batch_size}; it must be at least 1.")
    if arguments.num_inference_steps is None:
        arguments.num_inference_steps = usual_steps(arguments.sampler)
    fields = {*GenerateRequest.__dataclass_fields__} - {"class_names"}
    chosen: dict[str, Any] = {name: getattr(arguments, name) for name in fields}
    if arguments.checkpoint:  # only another one than the bundled has to be asked
        from fashion_ddpm.pipeline import class_names_of

        chosen["class_names"] = class_names_of(arguments.checkpoint)
    return GenerateRequest(**chosen)


def _add_generate(parser: argparse.ArgumentParser) -> None:
    _add_request(parser, num_images=10)
    parser.add_argument("--score", action="store_true", help="print CLIP scores beside real ones")
    parser.add_argument("--scorer", default="embedded", help="embedded, a folder or a Hub name")
    parser.add_argument("--output", type=Path, default=Path("images/generated.png"))
    parser.add_argument(
        "--shard-size", type=int, metavar="N", help="write npz files of N images; may be resumed"
    )
    parser.set_defaults(run=run_generate)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _add_request(parser, num_images=10_000)
    add_flags(parser, DataSettings)
    parser.add_argument("--reference", default="test", choices=("test", "train"))
    parser.add_argument("--classifier", type=Path, help="folder of the judge; default: bundled")
    parser.add_argument("--scorer", action="append", help="a CLIP; may be repeated; default: all")
    parser.add_argument("--inception-weights", metavar="FILE|download", help="torch-fidelity's")
    parser.add_argument("--output", type=Path, default=Path("runs/evaluation"))
    parser.set_defaults(run=run_evaluate)


def _add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="USER/NAME", help="repository to make")
    parser.add_argument("--space", required=True, metavar="USER/NAME", help="Space to make")
    for flag, text in (
        ("--checkpoint", "folder to publish; default: the bundled one"),
        ("--evaluation", "what evaluate wrote on it; default: docs/evaluation"),
        ("--output", "where both are written first; default: runs/publish"),
    ):
        parser.add_argument(flag, type=Path, default=argparse.SUPPRESS, metavar="DIR", help=text)
    parser.add_argument("--private", action="store_true", help="seen by you alone")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    parser.add_argument("--dry-run", action="store_true", help="write, check, start; send nothing")
    parser.set_defaults(run=run_publish)


def run_generate(arguments: argparse.Namespace) -> int:
    """Generates, writes, and scores where asked."""
    request = _request_of(arguments)
    from fashion_ddpm import bulk, generation
    from fashion_ddpm.shards import shard_size

    size = shard_size(arguments.output, request.num_images, arguments.shard_size)
    if size:
        if arguments.score:
            raise RequestError("--score needs all images in memory; shards are made without it.")
        bulk.run(request, arguments.checkpoint, arguments.output, size, arguments.batch_size)
        return 0
    generation.run(
        request,
        checkpoint=arguments.checkpoint,
        output=arguments.output,
        batch_size=arguments.batch_size,
        scorer_name=arguments.scorer if arguments.score else None,
    )
    return 0


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Generates, measures, writes a report; prints its table."""
    request = _request_of(arguments)
    from fashion_ddpm.clip_scores import SCORERS
    from fashion_ddpm.evaluation import Evaluation, evaluate
    from fashion_ddpm.pipeline import BUNDLED_CHECKPOINT
    from fashion_ddpm.report import figure_table

    evaluation = Evaluation(
        request,
        checkpoint=arguments.checkpoint or BUNDLED_CHECKPOINT,
        data=_config_of(arguments, DataSettings),
        reference=arguments.reference,
        batch_size=arguments.batch_size,
        classifier=arguments.classifier,
        scorers=arguments.scorer or SCORERS,
        inception_weights=arguments.inception_weights,
    )
    report = evaluate(evaluation, arguments.output)
    if report:
        print("\n".join([*report.warnings, figure_table(report), str(arguments.output)]))
    return 0


def run_results(arguments: argparse.Namespace) -> int:
    """Writes the bundled checkpoint's report into the README and into its model card."""
    from fashion_ddpm.model_card import write_results
    from fashion_ddpm.pipeline import BUNDLED_CHECKPOINT, read_run
    from fashion_ddpm.report import load_report

    report, run = load_report(arguments.report), read_run(BUNDLED_CHECKPOINT)
    write_results(arguments.readme, BUNDLED_CHECKPOINT, run, report)
    return 0


def run_publish(arguments: argparse.Namespace) -> int:
    """Uploads a checkpoint and a Space, or only writes and tries them."""
    from fashion_ddpm.sharing import Publication, publish

    given = {name: value for name, value in vars(arguments).items() if name != "run"}
    for line in publish(Publication(**given)):
        print(line, flush=True)
    return 0


def run_runs(arguments: argparse.Namespace) -> int:
    """Prints a table of training runs."""
    from fashion_ddpm.runs import runs_in, table

    print(table(runs_in(arguments.folders)))
    return 0


def run_gallery(arguments: argparse.Namespace) -> int:
    """Draws and scores the images that the demo shows before anybody presses a button."""
    from fashion_ddpm.gallery import GALLERY, make_gallery

    make_gallery()
    print(GALLERY)
    return 0


def run_neighbours(arguments: argparse.Namespace) -> int:
    """Makes the index in which the demo looks for the nearest training image."""
    from fashion_ddpm.data import load_split
    from fashion_ddpm.neighbour_index import NEIGHBOUR_INDEX, build_index, save_index

    train, test = (load_split(arguments.data_dir, split).images for split in ("train", "test"))
    save_index(build_index(train, test))
    print(NEIGHBOUR_INDEX)
    return 0


def _config_of(arguments: argparse.Namespace, config_class: type) -> Any:
    """Returns a config with the fields that flags gave, and defaults for the rest."""
    names = {field.name for field in dataclasses.fields(config_class)}
    flags = {name: value for name, value in vars(arguments).items() if name in names}
    return config_class(**{"data_dir": default_data_dir(), **flags})


def run_train_scorer(arguments: argparse.Namespace) -> int:
    """Trains the embedded scorer."""
    config = _config_of(arguments, ScorerConfig)
    from fashion_ddpm.pipeline import BUNDLED_CHECKPOINT, load_pipeline
    from fashion_ddpm.scorer_training import train_scorer

    pipeline = load_pipeline(arguments.checkpoint or BUNDLED_CHECKPOINT)
    print(train_scorer(config, pipeline))
    return 0


def run_train_classifier(arguments: argparse.Namespace) -> int:
    """Trains the judge."""
    config = _config_of(arguments, ClassifierConfig)
    from fashion_ddpm.classifier_training import train_classifier

    print(train_classifier(config))
    return 0


def main() -> int:
    """Runs a subcommand; a mistake of the user's costs one sentence, not a traceback."""
    limit_threads()
    arguments = build_parser().parse_args()
    try:
        return int(arguments.run(arguments))
    except UserError as error:
        print(f"fashion_ddpm: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
