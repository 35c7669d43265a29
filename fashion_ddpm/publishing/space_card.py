"""The READMEs of Spaces: front matter and a short text."""

from typing import Any

from huggingface_hub import SpaceCard

from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.model_card import get_image_kind, hub_datasets

STATIC_HEADERS = {
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "cross-origin",
}
"""Headers with which a static Space's page may run its networks on several threads."""

STATIC_TAGS = ["diffusion", "ddpm", "class-conditional", "onnx", "webgpu"]


def space_card(readme: str, models: list[str], run: dict[str, Any], static_url: str = "") -> str:
    """Return the README of a Space: the repository's front matter with the models' names.

    Args:
        readme: the repository's README.
        models: USER/NAME of the model's repository, then that of the distilled network, if any.
        run: the content of the model's run.json.
        static_url: address of the Space that draws in the browser; "" if there is none.

    Raises:
        PublishingError: the front matter cannot be read.
    """
    card, data = _describe(readme, models, run)
    is_fashion = get_image_kind(run) == FASHION_MNIST
    drawn = "draws clothes out of noise, beside what CLIP says of them"
    if not is_fashion:
        drawn = "draws images out of noise, trained on pictures of its owner's"
    elsewhere = f"\nIt also [draws in your own browser]({static_url}).\n" if static_url else ""
    card.text = f"""
# {data.title}

A small diffusion model {drawn}. The weights are
those of {_link(models[0])}, where their figures stand too.
They lie in `checkpoints/fashion-mnist`, so that the app downloads nothing.
{elsewhere}
To run it on a machine of your own, with Python {data.python_version} or newer, clone this Space and

```
pip install --requirement requirements.txt
python app.py
```
"""
    return str(card)


def static_space_card(
    readme: str, models: list[str], run: dict[str, Any], demo_url: str = ""
) -> str:
    """Return the README of a static Space, whose page draws in the visitor's browser.

    Args:
        readme: the repository's README.
        models: USER/NAME of the model's repository, then that of the distilled network, if any.
        run: the content of the model's run.json.
        demo_url: address of the Space with a server; "" if there is none.

    Raises:
        PublishingError: the front matter cannot be read.
    """
    card, data = _describe(readme, models, run)
    data.sdk, data.app_file = "static", "index.html"
    data.sdk_version = data.python_version = None
    is_fashion = get_image_kind(run) == FASHION_MNIST
    data.tags = [*STATIC_TAGS, *["fashion-mnist"] * is_fashion]
    data.title = f"{data.title} in your browser"
    drawn = "clothes" if is_fashion else "images of a class"
    data.short_description = f"Draw {drawn} from noise in your browser, no server"
    data.custom_headers = STATIC_HEADERS
    elsewhere = f"\n[The page with a server]({demo_url}) shows more.\n" if demo_url else ""
    card.text = f"""
# {data.title}

A small diffusion model that draws {drawn} out of noise in your own browser: the networks
are loaded once, and no picture or setting leaves your machine. The weights are those of
{_link(models[0])}.
{elsewhere}
`models/` holds the networks as ONNX files. To serve it elsewhere, put these files into any
folder of any web server: nothing has to be built.
"""
    return str(card)


def _describe(readme: str, models: list[str], run: dict[str, Any]) -> tuple[SpaceCard, Any]:
    """Return the repository's card, and its front matter with what these models draw."""
    card = _load_card(readme)
    data: Any = card.data
    data.models, data.datasets = models, hub_datasets(run)
    if get_image_kind(run) != FASHION_MNIST:
        data.title, data.emoji = models[0].split("/")[-1], "🎨"
        data.short_description = "Draw images of a class out of noise, step by step"
    return card, data


def _link(model: str) -> str:
    return f"[{model}](https://huggingface.co/{model})"


def read_front_matter(readme: str) -> dict[str, Any]:
    """Return the YAML block at the top of a README.

    Raises:
        PublishingError: it cannot be read.
    """
    return dict(_load_card(readme).data.to_dict())


def _load_card(readme: str) -> SpaceCard:
    try:
        return SpaceCard(readme)
    except Exception as error:  # such as those of the YAML parser
        raise PublishingError(
            f"The README's front matter cannot be read ({reason(error)}); it must be YAML between "
            "two lines of three dashes."
        ) from error
