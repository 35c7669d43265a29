"""Below the tabs: where the code, the weights and the ideas are."""

import os

import gradio as gr

PAPER = {"the paper: denoising diffusion": "https://arxiv.org/abs/2006.11239"}
PAPERS = {
    **PAPER,
    "the data: Fashion-MNIST": "https://github.com/zalandoresearch/fashion-mnist",
}
HUB = "https://huggingface.co"


def links(space: str | None, on_fashion: bool = True) -> dict[str, str]:
    """Returns name → address; on a Space also its own files.

    Args:
        space: "USER/NAME" where the app runs as a Space.
        on_fashion: whether the network draws Fashion-MNIST.
    """
    papers = PAPERS if on_fashion else PAPER
    if not space:
        return papers
    files = f"{HUB}/spaces/{space}"
    return {
        "the code": f"{files}/tree/main",
        "the weights": f"{files}/tree/main/checkpoints/fashion-mnist",
        "the training script": f"{files}/blob/main/train_accelerate.py",
        **papers,
    }


def build(on_fashion: bool = True) -> None:
    """Lays it out; only a Space can be duplicated."""
    space = os.environ.get("SPACE_ID")
    shown = links(space, on_fashion)
    gr.Markdown(" · ".join(f"[{name}]({address})" for name, address in shown.items()))
    if space:
        gr.DuplicateButton("Duplicate this Space")
