"""The words of the data set: class names, the label that means "no class", and the prompts."""

import math

CLASS_NAMES: tuple[str, ...] = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

NULL_LABEL = len(CLASS_NAMES)
"""The class label that training puts in place of a dropped one (guidance needs it)."""

BLURRY_PROMPT = "A blurry or unclear clothing item"


def label_prompts(class_names: tuple[str, ...] = CLASS_NAMES) -> list[str]:
    """Returns the prompt that names each class, in label order: "A trouser", "An ankle boot"."""
    return [f"{_article(name)} {name}" for name in class_names]


def quality_prompts(class_name: str) -> list[str]:
    """Returns the three prompts between which the report's CLIP had to choose."""
    return [
        f"{_article(class_name)} {class_name}",
        f"A clear, well-generated {class_name}",
        BLURRY_PROMPT,
    ]


def percent(score: float) -> str:
    """Returns a score in [0, 1] as it is shown; one that is not known (NaN) is called so."""
    return "no score" if math.isnan(score) else f"{score:.0%}"


def _article(noun: str) -> str:
    return "An" if noun[0].lower() in "aeiou" else "A"
