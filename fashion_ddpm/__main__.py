"""The command line: fashion-ddpm COMMAND, or python -m fashion_ddpm COMMAND."""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from fashion_ddpm.cli import commands, doctor
from fashion_ddpm.cli.train import add_train
from fashion_ddpm.core.config import (
    BACKENDS,
    SAMPLERS,
    SCHEDULES,
    TURBO,
    TURBO_SCHEDULE,
    TURBO_STEPS,
    ClassifierConfig,
    ScorerConfig,
)
from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.errors import (
    INTERRUPT_EXIT_STATUS,
    UserError,
    error_message,
    missing_package_message,
)
from fashion_ddpm.core.image_kind import ALL_CLASSES
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.core.process import limit_threads
from fashion_ddpm.core.requests import EVALUATION_STEPS, FLAGS, GenerateRequest
from fashion_ddpm.core.settings import add_flags, default_data_dir
from fashion_ddpm.server.deployment import add_address_flags
from fashion_ddpm.server.limits import add_limit_flags


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    name = Path(sys.argv[0]).name
    called_as_module = name == "__main__.py"
    parser = argparse.ArgumentParser(
        prog="python -m fashion_ddpm" if called_as_module else name.removesuffix(".exe"),
        description=__doc__,
    )
    subcommands = parser.add_subparsers(required=True)
    add_app(subcommands.add_parser("app", help="serve the page"))
    add_train(subcommands.add_parser("train", help="train a network"))
    _add_generate(subcommands.add_parser("generate", help="images from a checkpoint"))
    _add_evaluate(subcommands.add_parser("evaluate", help="measure a checkpoint; write a report"))
    results = subcommands.add_parser("results", help="write a report into README and model card")
    results.add_argument("--evaluation", type=_path, default=Path("docs/evaluation"))
    results.add_argument("--readme", type=_path, default=Path("README.md"))
    results.set_defaults(run=commands.run_results, extra="evaluate")
    _add_train_all(
        subcommands.add_parser("train-all", help="a network, its distilled network, two reports")
    )
    average = subcommands.add_parser(
        "rebuild-average", help="a checkpoint of another average of a run's weights"
    )
    average.add_argument("folder", type=_path, metavar="DIR", help="the run's --output-dir")
    average.add_argument("--length", type=float, default=0.1, help="as a share of the run")
    average.add_argument("--at", type=int, metavar="IMAGES", help="its end; default: the last kept")
    average.add_argument("--output", type=_path, default=Path("runs/average"))
    average.set_defaults(run=commands.run_rebuild_average, extra="train")
    preview = subcommands.add_parser(
        "preview", help="how each class emerges from noise: the picture that a run writes"
    )
    preview.add_argument("checkpoint", type=_path, metavar="DIR", help="folder of a checkpoint")
    preview.add_argument("--output-dir", type=_path, default=Path("runs/previews"), metavar="DIR")
    preview.set_defaults(run=commands.run_preview, extra="evaluate")
    gallery = subcommands.add_parser("gallery", help="draw the images that the demo opens with")
    gallery.add_argument(
        "--student-checkpoint",
        metavar="DIR",
        help="network trained on the student's noise schedule; without it, its images are kept",
    )
    gallery.set_defaults(run=commands.run_gallery, extra="app")
    neighbours = subcommands.add_parser("neighbours", help="index the training images for the demo")
    neighbours.add_argument("--data-dir", default=default_data_dir(), type=_path)
    neighbours.set_defaults(run=commands.run_neighbours, extra="evaluate")
    doctor.add_commands(
        subcommands.add_parser("doctor", help="check the data, a schedule or a scorer")
    )
    _add_publish(subcommands.add_parser("publish", help="share a checkpoint: a model, and a Space"))
    _add_export_web(
        subcommands.add_parser("export-web", help="write a static site that draws in the browser")
    )
    scorer = subcommands.add_parser("train-scorer", help="train the embedded CLIP")
    scorer.add_argument("--checkpoint", help="diffusion model that gives half-denoised images")
    add_flags(scorer, ScorerConfig)
    scorer.set_defaults(run=commands.run_train_scorer, extra="train")
    classifier = subcommands.add_parser("train-classifier", help="train the classifier of evaluate")
    add_flags(classifier, ClassifierConfig)
    classifier.set_defaults(run=commands.run_train_classifier, extra="train")
    return parser


def add_app(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the page's server."""
    parser.description = (
        "Serve the demo: pick a class, a schedule and a step count; see images and what CLIP says "
        "of them."
    )
    parser.add_argument(
        "--checkpoint", default=BUNDLED_CHECKPOINT, help="folder or USER/NAME@REVISION"
    )
    parser.add_argument("--compare-with", help="a second one, side by side in Compare")
    add_address_flags(parser)
    parser.add_argument("--share", action="store_true", help="also serve on a public link")
    parser.add_argument("--mcp", action="store_true", help="also be a tool for language models")
    parser.add_argument(
        "--public",
        action=argparse.BooleanOptionalAction,
        help="visitors are strangers, and each may only ask so much; default: where they can come",
    )
    parser.add_argument(
        "--backend",
        default="auto",
        choices=BACKENDS,
        help="how the network runs on a CPU; auto: by OpenVINO where it is installed and faster",
    )
    add_limit_flags(parser)
    parser.set_defaults(run=_run_app, extra="app")


def _run_app(arguments: argparse.Namespace) -> int:
    """Serve the page."""
    from fashion_ddpm.ui.app import serve

    return serve(arguments)


def _add_request(parser: argparse.ArgumentParser, default: GenerateRequest) -> None:
    """Add the flags of a request, of the checkpoint and of the batch size."""
    parser.add_argument(
        "--checkpoint", help="folder or USER/NAME@REVISION; default: the bundled one"
    )
    parser.add_argument(
        "--class", dest="class_name", default=default.class_name, help="name, id or all"
    )
    parser.add_argument("--num-images", type=int, default=default.num_images)
    parser.add_argument(
        "--schedule",
        choices=SCHEDULES,
        help=f"default: {default.schedule}; {TURBO}: {TURBO_SCHEDULE}",
    )
    parser.add_argument("--sampler", default=default.sampler, choices=(*SAMPLERS, TURBO))
    steps = default.num_inference_steps
    parser.add_argument(
        "--steps",
        dest="num_inference_steps",
        type=int,
        help=f"default: {steps}; {TURBO}: {TURBO_STEPS}",
    )
    parser.add_argument("--guidance-scale", type=float, default=default.guidance_scale)
    parser.add_argument("--guidance-low", type=float, default=default.guidance_low)
    parser.add_argument("--guidance-high", type=float, default=default.guidance_high)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.set_defaults(default_steps=steps)


def _path(text: str) -> Path:
    """Return a path with ~ expanded, which shells do not do in --output=~/images."""
    return Path(text).expanduser()


def _add_generate(parser: argparse.ArgumentParser) -> None:
    _add_request(parser, GenerateRequest(ALL_CLASSES, num_images=10))  # one of each class
    parser.add_argument("--score", action="store_true", help="print CLIP scores beside real ones")
    parser.add_argument("--scorer", default="embedded", help="embedded, a folder or a Hub name")
    parser.add_argument("--output", type=_path, default=Path("images/generated.png"))
    parser.add_argument(
        "--shard-size", type=int, metavar="N", help="write npz files of N images; may be resumed"
    )
    parser.set_defaults(run=commands.run_generate, extra="evaluate")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    defaults = GenerateRequest(ALL_CLASSES, num_images=10_000, num_inference_steps=EVALUATION_STEPS)
    _add_request(parser, defaults)
    add_flags(parser, DataSettings)
    parser.add_argument("--reference", default="test", choices=("test", "train", "validation"))
    parser.add_argument("--classifier", type=_path, help="folder of a classifier; default: bundled")
    parser.add_argument("--scorer", action="append", help="a CLIP; may be repeated; default: all")
    parser.add_argument("--inception-weights", metavar="FILE|download", help="torch-fidelity's")
    parser.add_argument(
        "--backend",
        default="eager",
        choices=BACKENDS[1:],  # a timing must not decide what draws the images of a report
        help="how the network runs on a CPU; default: eager",
    )
    parser.add_argument("--output", type=_path, default=Path("runs/evaluation"))
    parser.add_argument(
        "--require",
        action="append",
        default=[],
        metavar="'METRIC>=VALUE'",
        help="end with status 1 if missed (or <=), as 'class accuracy>=0.9'; may be repeated",
    )
    parser.set_defaults(run=commands.run_evaluate, extra="evaluate")


def _add_train_all(parser: argparse.ArgumentParser) -> None:
    add_flags(parser, DataSettings)
    parser.add_argument("--preset", default="gpu", choices=("smoke", "cpu", "gpu"))
    parser.add_argument("--minutes", type=float, default=30.0, help="for everything")
    parser.add_argument("--num-images", type=int, default=10_000, help="of each report")
    parser.add_argument("--output-dir", type=_path, default=Path("runs/all"))
    parser.set_defaults(run=commands.run_train_all, extra="train")


def _add_publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="USER/NAME", help="repository to make")
    parser.add_argument(
        "--space", default="", metavar="USER/NAME", help="Space to make; default: the model alone"
    )
    parser.add_argument(
        "--static-space", default="", metavar="USER/NAME", help="Space that draws in the browser"
    )
    for flag, text in (
        ("--checkpoint", "folder to publish; default: the bundled one"),
        ("--evaluation", "what evaluate wrote on it; default: docs/evaluation"),
        ("--output", "where they are written first; default: runs/publish"),
    ):
        parser.add_argument(flag, type=_path, default=argparse.SUPPRESS, metavar="DIR", help=text)
    parser.add_argument("--private", action="store_true", help="seen by you alone")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    parser.add_argument("--dry-run", action="store_true", help="write, check, start; send nothing")
    parser.set_defaults(run=commands.run_publish, extra="app,evaluate")


def _add_export_web(parser: argparse.ArgumentParser) -> None:
    omit = argparse.SUPPRESS
    parser.add_argument(
        "--checkpoint", default=omit, help="folder or USER/NAME@REVISION; default: the bundled one"
    )
    parser.add_argument(
        "--output", type=_path, default=omit, metavar="DIR", help="default: build/web"
    )
    parser.add_argument(
        "--demo-url", default=omit, metavar="URL", help="page with a server, for a link to it"
    )
    parser.add_argument("--serve", action="store_true", help="then serve it on this machine")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve it at")
    parser.add_argument("--port", type=int, default=8000, help="0: any free one")
    parser.set_defaults(run=commands.run_export_web, extra="web")


def main() -> int:
    """Run a subcommand."""
    return _run(build_parser())


def run_program(add_command: Callable[[argparse.ArgumentParser], None]) -> int:
    """Run one command as a program of its own, as app.py and train_accelerate.py do."""
    parser = argparse.ArgumentParser()
    add_command(parser)
    return _run(parser)


def _run(parser: argparse.ArgumentParser) -> int:
    """Run the command; print a user's error as one sentence, without a traceback.

    The names of flags may also be written with underscores, as in diffusers' examples.
    """
    limit_threads()
    words = [re.sub(r"^--\w[\w-]*", _with_hyphens, word) for word in sys.argv[1:]]
    arguments = parser.parse_args(words)
    try:
        return int(arguments.run(arguments))
    except (UserError, OSError) as error:
        message = error_message(error, FLAGS)
    except ModuleNotFoundError as error:
        message = missing_package_message(error, arguments.extra)
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return INTERRUPT_EXIT_STATUS
    print(f"{parser.prog}: {message}", file=sys.stderr)
    return 1


def _with_hyphens(flag: re.Match[str]) -> str:
    return flag[0].replace("_", "-")


if __name__ == "__main__":
    sys.exit(main())
