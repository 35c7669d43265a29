"""The page around the tabs: style, icons, link preview, errors, saved pictures, footer."""

import inspect
import os
import re
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
import numpy as np
from diffusers import DDPMScheduler
from gradio import processing_utils
from gradio.routes import templates
from jinja2 import ChoiceLoader, DictLoader
from PIL import Image

from fashion_ddpm.checkpoints.locate import SAMPLES_FILE
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import FILE_NAME_KEY, png_url
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT, ROOT, STATIC_SITE_FILE
from fashion_ddpm.demo.engine import Demo, offered_schedules
from fashion_ddpm.diffusion.schedules import noise_levels
from fashion_ddpm.scoring.clip_baseline import load_real_sample
from fashion_ddpm.server.monitoring import INTERNAL_ERROR
from fashion_ddpm.ui.components import IMAGES_GONE, NO_QUEUE, read_asset

DISK_FULL = "The server has no room left for pictures; please try again in a few minutes."

CURVE_STEPS = 24
"""Steps of the curve in a schedule's icon."""

SPACES_URL = "https://huggingface.co/spaces"
PAGE_TEMPLATE = "frontend/index.html"
_PREVIEW_TAGS = re.compile(r'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*/>')
_CALL_SIGNATURE = inspect.signature(gr.Blocks.call_function)
"""Finds the event whether gradio passes it by position or by name."""


HEAD = f"<style>{read_asset('head.css')}</style><script>{read_asset('page.js')}</script>"

HIDE_UNTIL_LOADED = """<style>
@keyframes appear { to { visibility: visible; } }
gradio-app:not(:has(#story-create img):has(#gallery img):has(#generate):has(.output-class))
  :is(.tabs, .tabs ~ *, footer) { visibility: hidden; animation: appear 0s 5s forwards; }
</style>"""
"""For a page that opens with pictures: gradio inserts them one by one, and each would shift the
layout. So the tabs appear together, after five seconds in any case."""


def theme() -> gr.Theme:
    """Return gradio's soft theme with text that stands out enough (WCAG 2.1, level AA)."""
    return gr.themes.Soft().set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        button_secondary_background_fill_hover_dark="*primary_600",
        block_label_text_color="*primary_700",
        block_title_text_color="*primary_700",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        checkbox_label_background_fill_selected="*primary_600",
        link_text_color_dark="*secondary_300",
        link_text_color_visited_dark="*secondary_300",
        link_text_color_active_dark="*secondary_300",
    )


def set_link_preview(title: str, description: str) -> None:
    """Replace gradio's Open Graph tags, which chats show with a link, by those of this page."""
    loader = templates.env.loader
    assert loader is not None
    source, *_ = loader.get_source(templates.env, PAGE_TEMPLATE)
    tags = {"og:title": title, "og:description": description, "og:type": "website"}
    if space := os.environ.get("SPACE_ID"):  # elsewhere a page does not know its public address
        picture = BUNDLED_CHECKPOINT.relative_to(ROOT) / SAMPLES_FILE
        tags["og:image"] = f"{SPACES_URL}/{space}/resolve/main/{picture.as_posix()}"
    head = "".join(
        f'<meta property="{name}" content="{escape(value)}" />' for name, value in tags.items()
    )
    template = _PREVIEW_TAGS.sub("", source).replace("<head>", f"<head>{head}", 1)
    templates.env.loader = ChoiceLoader([DictLoader({PAGE_TEMPLATE: template}), loader])


class Page(gr.Blocks):
    """Blocks that report errors of inputs and outputs; handlers use `report_errors`."""

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        """Preprocess the inputs; what the components cannot read is the sender's error."""
        try:
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except Exception as error:
            labels = [str(block.label) for block in block_fn.inputs if getattr(block, "label", "")]
            raise gr.Error(
                f"One of the inputs ({', '.join(labels)}) cannot be read: it must be what the page "
                "itself would send; reload the page and try again.",
                print_exception=False,
            ) from error

    async def call_function(self, *args: Any, **kwargs: Any) -> Any:
        """Call a handler; report a click on a picture whose file is gone without its path."""
        event = _CALL_SIGNATURE.bind(self, *args, **kwargs).arguments.get("event_data")
        try:
            processing_utils.check_all_files_in_cache(event._data if event else {})
        except gr.Error as error:
            raise gr.Error(IMAGES_GONE, print_exception=False) from error
        return await super().call_function(*args, **kwargs)

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Postprocess the outputs; the disk may be too full for their pictures."""
        try:
            return await super().postprocess_data(block_fn, predictions, state)
        except Exception as error:
            if isinstance(error, OSError) or isinstance(error.__cause__, OSError):
                raise gr.Error(DISK_FULL, print_exception=False) from error
            raise gr.Error(INTERNAL_ERROR) from error


def save_pil_atomically(
    img: Image.Image, cache_dir: str, name: str = "image", format: str = "webp"
) -> str:
    """Save a picture atomically; replaces gradio's save_pil_to_cache.

    A picture's folder is the hash of its content, so that visitors with the same image share a
    file. Gradio truncates and rewrites it, and a concurrent reader gets an empty file.

    Args:
        img: the picture.
        cache_dir: the folder of all pictures.
        name: name of the file where the picture carries none.
        format: image format and file extension.

    Returns:
        The path of the file.
    """
    content = processing_utils.encode_pil_to_bytes(img, format)
    folder = Path(cache_dir) / processing_utils.hash_bytes(content)
    folder.mkdir(exist_ok=True, parents=True)
    name = Path(img.info.get(FILE_NAME_KEY, name)).stem
    path = (folder / f"{name}.{format}").resolve()
    handle, temporary = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return str(path)


processing_utils.save_pil_to_cache = save_pil_atomically  # for all components


WRITE_ADDRESS = """(query) => {
  if (!query) return;
  window.newestQuery = query;
  const settings = new URLSearchParams(query);
  for (const [name, value] of new URLSearchParams(location.search))
    if (name === "tab" || name.startsWith("__")) settings.append(name, value);
  history.replaceState(history.state, "", "?" + settings);
}"""
"""JavaScript: puts a query into the address bar, and keeps the tab and gradio's parameters such as
__theme. A reload, also gradio's own after a lost connection, restores the settings."""

BUILD_LINK = """(query) => query ? location.origin + location.pathname + query : "" """
"""JavaScript: returns the link for a query."""

KEEP_TAB = """() => {
  if (!window.clickedSinceBack) return;  // opened by gradio at first, by Back or by Forward
  const address = new URL(location.href);
  if ((address.searchParams.get("tab") || "FIRST") === "TAB") return;
  if ("TAB" === "FIRST") address.searchParams.delete("tab");
  else address.searchParams.set("tab", "TAB");
  history.pushState(null, "", address);
}"""
"""JavaScript: puts the opened tab into the address; Back returns to the previous tab."""

OPEN_TAB = """() => {
  const tab = new URLSearchParams(location.search).get("tab");
  return {__type__: "update", selected: TABS.includes(tab) ? tab : TABS[0]};
}"""
"""JavaScript: opens the tab in the address, by what gradio reads as a gr.update."""

ON_BACK = f"""() => {{
  const keepQuery = {WRITE_ADDRESS};
  addEventListener("click", (event) => {{  // a visitor's, not that on #open-tab
    if (event.isTrusted) window.clickedSinceBack = true;
  }}, true);
  addEventListener("popstate", () => {{
    window.clickedSinceBack = false;
    keepQuery(window.newestQuery);
    document.querySelector("#open-tab").click();
  }});
}}"""
"""JavaScript: Back and Forward open the tab in the address, and leave the settings alone."""


def link_tabs(page: gr.Blocks, tabs: gr.Tabs, tab_list: Sequence[gr.Tab]) -> None:
    """Keep the open tab in the address (?tab=why), for links, reloads, Back and Forward."""
    names = [str(tab.id) for tab in tab_list]
    for tab, name in zip(tab_list, names, strict=True):
        keep = KEEP_TAB.replace("TAB", name).replace("FIRST", names[0])
        tab.select(None, None, None, js=keep, **NO_QUEUE)
    open_tab = OPEN_TAB.replace("TABS", str(names))
    button = gr.Button(visible="hidden", elem_id="open-tab")
    button.click(None, None, tabs, js=open_tab, **NO_QUEUE)
    page.load(None, None, tabs, js=open_tab, **NO_QUEUE)
    page.load(None, None, None, js=ON_BACK, **NO_QUEUE)


FOOTER_LINKS = {
    "the paper: denoising diffusion": "https://arxiv.org/abs/2006.11239",
    "the data: Fashion-MNIST": "https://github.com/zalandoresearch/fashion-mnist",
}


def build_footer(is_fashion_mnist: bool = True) -> None:
    """Lay out links; a Space also links to its static site and its files, and can be duplicated.

    Args:
        is_fashion_mnist: whether the network draws Fashion-MNIST.
    """
    links = dict(FOOTER_LINKS if is_fashion_mnist else list(FOOTER_LINKS.items())[:1])
    if STATIC_SITE_FILE.exists():
        links = {"draw in your own browser": STATIC_SITE_FILE.read_text().strip(), **links}
    space = os.environ.get("SPACE_ID")
    if space:
        files = f"{SPACES_URL}/{space}"
        links = {
            "the code": f"{files}/tree/main",
            "the weights": f"{files}/tree/main/checkpoints/fashion-mnist",
            "the training script": f"{files}/blob/main/train_accelerate.py",
            **links,
        }
    gr.Markdown(" · ".join(f"[{name}]({address})" for name, address in links.items()))
    if space:
        gr.DuplicateButton("Duplicate this Space")


def menu_icons(demo: Demo) -> str:
    """Return CSS with a real image for each class, and a curve for each schedule."""
    rules = []
    if demo.kind.is_fashion_mnist:
        real = load_real_sample()
        for label, name in enumerate(CLASS_NAMES):
            url = png_url(Image.fromarray(real.select_class(label)[0].numpy()))
            choice = f'#class-menu label:has([value="{name}"])::before'
            rules.append(f'{choice} {{ background-image: url("{url}") }}')
    for name in offered_schedules(demo):
        url = _curve_url(name, demo.pipeline.scheduler)
        choice = f'#schedule-menu label:has([value="{name}"])::before'
        rules.append(f'{choice} {{ mask-image: url("{url}") }}')
    return "\n".join(rules)


def _curve_url(schedule: str, noise_scheduler: DDPMScheduler) -> str:
    """Return a picture of a schedule's curve, 40 by 22 pixels, as a URL that holds it.

    From left to right the steps; from bottom to top the image's amplitude, √ᾱ from 0 to 1.
    """
    amplitude = noise_levels(schedule, CURVE_STEPS, noise_scheduler).alpha_bar ** 0.5
    points = " ".join(
        f"{1 + 38 * position:.1f},{20 - 18 * height:.1f}"
        for position, height in zip(np.linspace(0, 1, CURVE_STEPS), amplitude, strict=True)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 22">'
        f'<polyline points="{points}" fill="none" stroke="black" stroke-width="2"/>'
        '<path d="M1 21H39" stroke="black" stroke-width="0.7"/></svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"
