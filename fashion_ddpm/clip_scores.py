"""The scorers: images and texts become probabilities, beside what real images score."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import AutoProcessor, CLIPModel

from fashion_ddpm.data import LabelledImages
from fashion_ddpm.errors import UserError, reason
from fashion_ddpm.labels import CLASS_NAMES, label_prompts, quality_prompts

EMBEDDED = "embedded"
HUB_SCORERS = (
    "openai/clip-vit-base-patch32",
    "openai/clip-vit-base-patch16",
    "patrickjohncyh/fashion-clip",
)
SCORERS = (EMBEDDED, *HUB_SCORERS)
BUNDLED_SCORER = Path(__file__).parent.parent / "checkpoints" / "clip-fashion-mnist"
REAL_SAMPLE = BUNDLED_SCORER.parent / "real-test-images.npz"
BASELINE_FILE = "baseline.json"
BATCH_SIZE = 256
MAX_PROMPT_SETS = 32
"""The label prompts and each class's quality prompts are eleven."""


class ScorerError(UserError):
    """A scorer cannot be loaded; the message is one sentence with the fix."""


@dataclass(frozen=True)
class Baseline:
    """What real test images score: the number that every other score stands beside.

    Attributes:
        labels: float32 [10, 10], row c: mean over the images of class c of the probabilities of
            the ten label prompts.
        quality: float32 [10, 3], the same for the class's three quality prompts.
        count: images that were scored.
    """

    labels: Tensor
    quality: Tensor
    count: int


class ClipScorer:
    """A CLIP model with its own processor."""

    def __init__(self, model: CLIPModel, processor: AutoProcessor, name: str) -> None:
        self.model, self.processor, self.name = model.eval(), processor, name
        self._known = functools.lru_cache(MAX_PROMPT_SETS)(self._text_features)

    def text_features(self, texts: Sequence[str]) -> Tensor:
        """Returns unit vectors, float32 [T, D]; those of the latest prompts are remembered."""
        return self._known(tuple(texts))

    @torch.no_grad()
    def _text_features(self, texts: tuple[str, ...]) -> Tensor:
        tokens = self.processor(text=list(texts), return_tensors="pt", padding=True)
        output = self.model.get_text_features(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
        )
        return torch.nn.functional.normalize(output.pooler_output, dim=-1)

    @torch.no_grad()
    def image_features(self, images: Tensor) -> Tensor:
        """Returns unit vectors, float32 [B, D], for grey images uint8 [B, 28, 28]."""
        parts = []
        for part in images.split(BATCH_SIZE):
            colour = part.unsqueeze(1).expand(-1, 3, -1, -1).contiguous()
            pixels = self.processor(images=list(colour), return_tensors="pt")["pixel_values"]
            parts.append(self.model.get_image_features(pixel_values=pixels).pooler_output)
        return torch.nn.functional.normalize(torch.cat(parts), dim=-1)

    def probabilities(self, images: Tensor, texts: Sequence[str]) -> Tensor:
        """Returns how the model divides each image among the texts.

        Args:
            images: uint8 [B, 28, 28].
            texts: T prompts.

        Returns:
            float32 [B, T], rows add up to 1: softmax of scaled cosine similarities.
        """
        return self._shares(self.image_features(images), texts)

    def _shares(self, features: Tensor, texts: Sequence[str]) -> Tensor:
        scale = self.model.logit_scale.exp().detach()
        return (scale * features @ self.text_features(texts).T).softmax(dim=-1)

    def label_scores(self, images: Tensor) -> Tensor:
        """Returns the probabilities of the ten label prompts: float32 [B, 10]."""
        return self.probabilities(images, label_prompts())

    def quality_scores(self, images: Tensor, labels: Tensor) -> Tensor:
        """Returns the probabilities of each image's three quality prompts: float32 [B, 3].

        Args:
            images: uint8 [B, 28, 28].
            labels: int64 [B], the classes that the prompts name.
        """
        features, scores = self.image_features(images), torch.empty(len(images), 3)
        for label in labels.unique().tolist():
            chosen = labels == label
            scores[chosen] = self._shares(features[chosen], quality_prompts(CLASS_NAMES[label]))
        return scores


def zero_shot_accuracy(scorer: ClipScorer, real: LabelledImages) -> float:
    """Returns the share of images whose own label prompt scores highest, in [0, 1]."""
    chosen = scorer.label_scores(real.images).argmax(dim=1)
    return (chosen == real.labels).float().mean().item()


def measure_baseline(scorer: ClipScorer, real: LabelledImages) -> Baseline:
    """Scores real images, class by class."""
    labels = scorer.label_scores(real.images)
    quality = scorer.quality_scores(real.images, real.labels)
    masks = [real.labels == label for label in range(len(CLASS_NAMES))]
    return Baseline(
        torch.stack([labels[mask].mean(dim=0) for mask in masks]),
        torch.stack([quality[mask].mean(dim=0) for mask in masks]),
        len(real),
    )


def load_scorer(name_or_folder: str = EMBEDDED) -> ClipScorer:
    """Loads the embedded scorer, a CLIP from a local folder, or one from the Hub.

    Raises:
        ScorerError: it is not there, cannot be downloaded, or is not a CLIP.
    """
    source = str(BUNDLED_SCORER) if name_or_folder == EMBEDDED else name_or_folder
    try:
        model = CLIPModel.from_pretrained(source, use_safetensors=True, dtype=torch.float32)
        processor = AutoProcessor.from_pretrained(source)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ScorerError(
            f"The scorer {name_or_folder} could not be loaded ({reason(error)}); connect to the "
            f"network, name a local folder that holds it, or use {EMBEDDED}."
        ) from error
    return ClipScorer(model, processor, name_or_folder)


def save_baseline(baseline: Baseline, folder: Path) -> None:
    """Writes a baseline beside its scorer."""
    content = {
        "labels": baseline.labels.tolist(),
        "quality": baseline.quality.tolist(),
        "count": baseline.count,
    }
    (folder / BASELINE_FILE).write_text(json.dumps(content) + "\n")


def load_baseline(scorer: ClipScorer) -> Baseline:
    """Returns what real test images score with a scorer.

    The embedded scorer carries it, measured on the whole test split; any other scorer is run over
    the bundled sample of real test images.
    """
    path = BUNDLED_SCORER / BASELINE_FILE
    if scorer.name != EMBEDDED:
        return measure_baseline(scorer, load_real_sample())
    content = json.loads(path.read_text())
    labels, quality = torch.tensor(content["labels"]), torch.tensor(content["quality"])
    return Baseline(labels, quality, content["count"])


def load_real_sample() -> LabelledImages:
    """Returns the bundled real test images, the first of each class in the test split."""
    with np.load(REAL_SAMPLE) as arrays:
        return LabelledImages(
            torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"]).long()
        )
