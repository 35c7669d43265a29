"""The app command: load the model, lay out the page with all tabs, serve it."""

import argparse
import importlib.util
import os
import shutil
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from fashion_ddpm.server.temporary_files import choose_folder, temporary_root

# Read when gradio is imported, or when the page is built.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"  # its dashboard is not served here
os.environ["TMPDIR"] = temporary_root()
os.environ["MPLBACKEND"] = "agg"  # a notebook sets a backend that is not installed here

from fashion_ddpm.core.process import pause_garbage_collection

with pause_garbage_collection():
    import gradio as gr

    from fashion_ddpm.checkpoints.locate import dataset_name, read_run, total_images_seen
    from fashion_ddpm.core.errors import UserError
    from fashion_ddpm.core.settings import given_flags
    from fashion_ddpm.core.wording import quantity
    from fashion_ddpm.demo.engine import Demo
    from fashion_ddpm.runtime.backends import check_backend, faster_backend
    from fashion_ddpm.runtime.cost import calibrate
    from fashion_ddpm.server.deployment import read_deployment
    from fashion_ddpm.server.errors import ServerError
    from fashion_ddpm.server.limits import ServerLimits
    from fashion_ddpm.ui import api, share
    from fashion_ddpm.ui.compare import Compare
    from fashion_ddpm.ui.components import NO_MARKUP
    from fashion_ddpm.ui.create import Create
    from fashion_ddpm.ui.launch import Launch, Server
    from fashion_ddpm.ui.page import Page, build_footer, link_tabs, set_link_preview
    from fashion_ddpm.ui.play import Play
    from fashion_ddpm.ui.trust import Trust
    from fashion_ddpm.ui.why_blurry import WhyBlurry

DELETE_CACHE_SECONDS = (600, 3600)
"""Gradio's delete_cache: interval of the clean-up, and age of the files it deletes."""

FASHION_MNIST_TEXTS = (
    "Fashion DDPM",
    "A small diffusion model generates clothing images from pure noise – and shows how one wrong "
    "setting, the noise schedule, ruins a good network.",
)

CUSTOM_DATA_TEXTS = (
    "Images from noise",
    "A small diffusion model, trained on your own images, generates new ones from pure noise.",
)

FEW_IMAGES = 10_000
"""A network that has seen fewer images in training is hardly trained."""


def describe_training(run: Mapping[str, Any]) -> str:
    """Return what a network was trained on and for how long; "" where run.json does not say it."""
    seen, count = total_images_seen(run), run.get("training_images")
    name = dataset_name(run).translate(NO_MARKUP)
    data = f" Trained on {quantity(count, 'image')} of {name}." if count else ""
    little = " That is little: expect noisy images." if seen < FEW_IMAGES else ""
    return f"{data} In training it saw {seen:,} images.{little}" if seen else ""


def build_page(demo: Demo) -> gr.Blocks:
    """Return the page with all tabs."""
    is_fashion_mnist = demo.kind.is_fashion_mnist
    title, introduction = FASHION_MNIST_TEXTS if is_fashion_mnist else CUSTOM_DATA_TEXTS
    if not is_fashion_mnist:
        introduction += describe_training(read_run(demo.pipeline.name_or_path))
    set_link_preview(title, introduction)
    with Page(title=title, delete_cache=DELETE_CACHE_SECONDS) as page:
        gr.Markdown(f"# {title}\n{introduction}")
        with gr.Tabs() as tabs:
            with gr.Tab("Create", id="create"):
                create = Create(demo)
                with create.results:
                    share.build(demo, page, create.controls, create.selected)
                with create.scores_column:
                    gr.Markdown(share.example_links(demo), elem_id="examples")
                api.build(demo, create.controls)
            if is_fashion_mnist:  # the student's report is about these images
                with gr.Tab("Why blurry?", id="why"):
                    WhyBlurry(demo)
            with gr.Tab("Compare", id="compare"):
                Compare(demo, tabs, create.controls)
            with gr.Tab("Trust", id="trust"):
                Trust(demo, create.selected)
            with gr.Tab("Play", id="play"):
                Play(demo)
        link_tabs(page, tabs, [tab for tab in tabs.children if isinstance(tab, gr.Tab)])
        build_footer(is_fashion_mnist)
    return page


def ignore_known_warnings() -> None:
    """Ignore warnings that gradio 6.31 causes, so that python -W error finds only ours.

    It calls pandas in a deprecated way, and leaves event loops and their sockets (AF_UNIX) to the
    garbage collector.
    """
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"gradio\.queueing")
    for message in ("unclosed event loop", r"unclosed <socket\.socket fd=\d+, family=1,"):
        warnings.filterwarnings("ignore", message, ResourceWarning)


def serve(arguments: argparse.Namespace) -> int:
    """Load the model and serve the page until the process is asked to end.

    Args:
        arguments: the parsed flags of add_app (__main__.py).

    Raises:
        UserError: a flag, the checkpoint or the port cannot be used.
    """
    ignore_known_warnings()
    if arguments.mcp and importlib.util.find_spec("mcp") is None:
        raise ServerError('--mcp needs the package mcp; run pip install "mcp<2", or leave it out.')
    temporary = None
    try:
        deployment = read_deployment(arguments)
        launch = Launch(deployment, arguments.share, arguments.mcp, arguments.public)
        check_backend(arguments.backend)
        limits = ServerLimits(**given_flags(arguments, ServerLimits))
        if "GRADIO_TEMP_DIR" not in os.environ:
            temporary = choose_folder()
            os.environ["GRADIO_TEMP_DIR"] = str(temporary)
        demo = Demo(arguments.checkpoint, arguments.compare_with, limits)
        server = Server(demo, build_page(demo), launch)
        server.wait(lambda: use_faster_backend(demo, arguments.backend))
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
    return 0


def use_faster_backend(demo: Demo, backend: str) -> None:
    """Switch the networks to a faster backend if there is one, while the page is served."""
    for pipeline, unet in demo.networks:
        try:
            found = faster_backend(pipeline.unet, backend)
        except UserError as error:
            print(f"warning: {error}", file=sys.stderr)
            return
        if found:
            sampler = pipeline.default_settings.sampler
            print(
                f"* The network for {sampler} runs on {found.runtime}, {found.rows} images a call"
            )
            unet.replace(found.predict, found.rows)
            if pipeline is demo.pipeline:  # requests that already run make calibration too slow
                meters = demo.cost, calibrate(pipeline)
                demo.cost = min(meters, key=lambda meter: meter.seconds_per_call)
