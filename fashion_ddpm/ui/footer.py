"""Below the tabs: where the code, the weights and the ideas are."""

import os

import gradio as gr

PAPERS = {
    "the paper: denoising diffusion": "https://arxiv.org/abs/2006.11239",
    "the data: Fashion-MNIST": "https://github.com/zalandoresearch/fashion-mnist",
}
HUB = "https://huggingface.co"


def links(space: str | None) -> dict[str, str]:
    """Returns name → address; on a Space also its own files.

    Args:
        space: "USER/NAME" where the app runs as a Space.
    """
    if not space:
        return PAPERS
    files = f"{HUB}/spaces/{space}"
    return {
        "the code": f"{files}/tree/main",
        "the weights": f"{files}/tree/main/checkpoints/fashion-mnist",
        "the training script": f"{files}/blob/main/train_accelerate.py",
        **PAPERS,
    }


def build() -> None:
    """Lays it out; only a Space can be duplicated."""
    space = os.environ.get("SPACE_ID")
    gr.Markdown(" · ".join(f"[{name}]({address})" for name, address in links(space).items()))
    if space:
        gr.DuplicateButton("Duplicate this Space")
