"""The demo: pick a class, a schedule and a step count; see images and what CLIP says of them."""

import argparse
import importlib.util
import os
import sys

from fashion_ddpm.temporary import choose_folder, remove, temporary_place

# Both are read when gradio is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["TMPDIR"] = temporary_place()

import gradio as gr

from fashion_ddpm.demo import Demo
from fashion_ddpm.errors import UserError
from fashion_ddpm.limits import ServerLimits
from fashion_ddpm.pipeline import BUNDLED_CHECKPOINT
from fashion_ddpm.settings import add_flags, given_flags
from fashion_ddpm.ui import api, compare, create, footer, play, share, trust, why
from fashion_ddpm.ui.page import Page
from fashion_ddpm.ui.server import Launch, Server, is_public

CLEAN_UP = (600, 3600)
"""Seconds between two clean-ups of temporary pictures, and the age at which they go."""

INTRODUCTION = """# Fashion DDPM
A small diffusion model draws clothes out of noise. Pick a garment, a schedule and a step count;
then try the schedule **report** and see how one wrong choice ruins a good model."""


def build_page(demo: Demo) -> gr.Blocks:
    """Returns the page: one tab a question."""
    with Page(title="Fashion DDPM", delete_cache=CLEAN_UP) as page:
        gr.Markdown(INTRODUCTION)
        with gr.Tabs() as tabs:
            with gr.Tab("Create", id="create"):
                controls, result, place = create.build(demo)
                share.build(demo, page, controls, result)
                api.build(demo, controls)
            with gr.Tab("Compare", id="compare"):
                compare.build(demo, tabs, controls)
            with gr.Tab("Why blurry?", id="why"):
                why.build(demo)
            with gr.Tab("Trust", id="trust"):
                trust.build(demo, result, place)
            with gr.Tab("Play", id="play"):
                play.build(demo)
        footer.build()
    return page


def main() -> None:
    """Loads the model and serves the page."""
    arguments, temporary = parse(), None
    public = is_public(arguments.share) if arguments.public is None else arguments.public
    launch = Launch(arguments.port, arguments.share, arguments.mcp, public)
    try:
        limits = ServerLimits(**given_flags(arguments, ServerLimits))
        if "GRADIO_TEMP_DIR" not in os.environ:
            temporary = choose_folder()
            os.environ["GRADIO_TEMP_DIR"] = str(temporary)
        demo = Demo(arguments.checkpoint, arguments.compare_with, limits)
        Server(demo, build_page(demo), launch).wait()
    except UserError as error:
        sys.exit(f"app.py: {error}")
    except KeyboardInterrupt:
        sys.exit("app.py: interrupted before the page was there.")
    finally:
        if temporary:
            remove(temporary)


def parse() -> argparse.Namespace:
    """Returns what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default=BUNDLED_CHECKPOINT, help="folder or Hub repository")
    parser.add_argument("--compare-with", help="a second one, side by side in Compare")
    parser.add_argument("--port", type=int, help="default: $GRADIO_SERVER_PORT, or 7860")
    parser.add_argument("--share", action="store_true", help="also serve on a public link")
    parser.add_argument("--mcp", action="store_true", help="also be a tool for language models")
    parser.add_argument(
        "--public",
        action=argparse.BooleanOptionalAction,
        help="visitors are strangers, and each may only ask so much; default: where they can come",
    )
    add_flags(parser, ServerLimits)
    arguments = parser.parse_args()
    if arguments.mcp and importlib.util.find_spec("mcp") is None:
        sys.exit('app.py: --mcp needs the package mcp; run pip install "mcp<2", or leave it out.')
    return arguments


if __name__ == "__main__":
    main()
