"""The demo: pick a class, a schedule and a step count; see images and what CLIP says of them."""

import argparse
import importlib.util
import os
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr

from fashion_ddpm.demo import Demo
from fashion_ddpm.errors import UserError
from fashion_ddpm.pipeline import BUNDLED_CHECKPOINT
from fashion_ddpm.ui import api, compare, create, footer, play, share, trust, why
from fashion_ddpm.ui.look import CSS, HEAD, theme

QUEUE_SIZE = 40
VISITORS_AT_ONCE = 16
"""Requests that share the network; more would only make each other wait step by step."""

MAX_UPLOAD = "1mb"
"""More than any picture made here, or any drawing, weighs."""

CLEAN_UP = (600, 3600)
"""Seconds between two clean-ups of temporary pictures, and the age at which they go."""

INTRODUCTION = """# Fashion DDPM
A small diffusion model draws clothes out of noise. Pick a garment, a schedule and a step count;
then try the schedule **report** and see how one wrong choice ruins a good model."""


def build_page(demo: Demo) -> gr.Blocks:
    """Returns the page: one tab a question."""
    with gr.Blocks(title="Fashion DDPM", delete_cache=CLEAN_UP) as page:
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--checkpoint", default=BUNDLED_CHECKPOINT, help="folder or USER/NAME@REVISION"
    )
    parser.add_argument("--compare-with", help="a second one, side by side in Compare")
    parser.add_argument("--port", type=int, help="default: $GRADIO_SERVER_PORT, or 7860")
    parser.add_argument("--share", action="store_true", help="also serve on a public link")
    parser.add_argument("--mcp", action="store_true", help="also be a tool for language models")
    parser.add_argument(
        "--visitors-at-once",
        type=int,
        default=VISITORS_AT_ONCE,
        help="requests that share the network; 1: they take turns",
    )
    arguments = parser.parse_args()
    visitors = arguments.visitors_at_once
    if visitors < 1:
        sys.exit(f"app.py: --visitors-at-once is {visitors}; it must be at least 1.")
    if arguments.mcp and importlib.util.find_spec("mcp") is None:
        sys.exit('app.py: --mcp needs the package mcp; run pip install "mcp<2", or leave it out.')
    try:
        demo = Demo(arguments.checkpoint, arguments.compare_with)
        page = build_page(demo)
    except UserError as error:
        sys.exit(f"app.py: {error}")
    page.queue(api_open=False, max_size=QUEUE_SIZE, default_concurrency_limit=visitors)
    page.launch(
        server_port=arguments.port,
        share=arguments.share,
        ssr_mode=False,
        max_file_size=MAX_UPLOAD,
        theme=theme(),
        css=CSS,
        head=HEAD,
        footer_links=["api"],
        mcp_server=arguments.mcp,
    )
    demo.unet.close()


if __name__ == "__main__":
    main()
