"""The Space's README: front matter and a short text."""

from typing import Any

from huggingface_hub import SpaceCard

from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.model_card import get_image_kind, hub_datasets


def space_card(readme: str, models: list[str], run: dict[str, Any]) -> str:
    """Return the README of a Space: the repository's front matter with the models' names.

    Args:
        readme: the repository's README.
        models: USER/NAME of the model's repository, then that of the distilled network, if any.
        run: the content of the model's run.json.

    Raises:
        PublishingError: the front matter cannot be read.
    """
    card = _load_card(readme)
    data: Any = card.data
    data.models, data.datasets, model = models, hub_datasets(run), models[0]
    drawn = "draws clothes out of noise, beside what CLIP says of them"
    if get_image_kind(run) != FASHION_MNIST:
        data.title, data.emoji = model.split("/")[-1], "🎨"
        data.short_description = "Draw images of a class out of noise, step by step"
        drawn = "draws images out of noise, trained on pictures of its owner's"
    card.text = f"""
# {data.title}

A small diffusion model {drawn}. The weights are
those of [{model}](https://huggingface.co/{model}), where their figures stand too.
They lie in `checkpoints/fashion-mnist`, so that the app downloads nothing.

To run it on a machine of your own, with Python {data.python_version} or newer, clone this Space and

```
pip install --requirement requirements.txt
python app.py
```
"""
    return str(card)


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
