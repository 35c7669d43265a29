"""The scorers: CLIP models that give the probabilities of texts for images."""

import functools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import CLIPModel, CLIPProcessor

from fashion_ddpm.checkpoints.downloads import is_hub_reachable
from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.weights import check_finite, check_folder, read_config
from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import FASHION_MNIST, ImageKind, label_prompts, quality_prompts
from fashion_ddpm.core.images import to_channels_first
from fashion_ddpm.core.paths import BUNDLED_SCORER
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.errors import ScoringError

EMBEDDED = "embedded"
HUB_SCORERS = (
    "openai/clip-vit-base-patch32",
    "openai/clip-vit-base-patch16",
    "patrickjohncyh/fashion-clip",
)
SCORERS = (EMBEDDED, *HUB_SCORERS)
WEIGHTS_FILE = "model.safetensors"
BATCH_SIZE = 256
MAX_PROMPT_SETS = 32
"""Cached lists of prompts; the label prompts and the quality prompts of each class are eleven."""

NO_SCORER = "none"
"""Name of NoScorer, the default for images that the embedded scorer was not trained on."""


class ClipScorer:
    """A CLIP model with its processor, and the kind of images that it scores."""

    def __init__(
        self, model: CLIPModel, processor: CLIPProcessor, name: str, kind: ImageKind
    ) -> None:
        self.model, self.processor, self.name, self.kind = model.eval(), processor, name, kind
        self._cached_text_features = functools.lru_cache(MAX_PROMPT_SETS)(self._text_features)

    def text_features(self, texts: Sequence[str]) -> Tensor:
        """Return unit vectors, float32 [T, D]; those of recent prompts are cached."""
        return self._cached_text_features(tuple(texts))

    @torch.no_grad()
    def _text_features(self, texts: tuple[str, ...]) -> Tensor:
        tokens = self.processor(text=list(texts), return_tensors="pt", padding=True)
        output = self.model.get_text_features(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
        )
        return torch.nn.functional.normalize(output.pooler_output, dim=-1)

    @torch.no_grad()
    def image_features(self, images: Tensor) -> Tensor:
        """Return unit vectors, float32 [B, D], for images uint8 [B, H, W] or [B, H, W, 3]."""
        parts = []
        for part in images.split(BATCH_SIZE):
            colour = to_channels_first(part).expand(-1, 3, -1, -1).contiguous()
            pixels = self.processor(images=list(colour), return_tensors="pt")["pixel_values"]
            parts.append(self.model.get_image_features(pixel_values=pixels).pooler_output)
        return torch.nn.functional.normalize(torch.cat(parts), dim=-1)

    def probabilities(self, images: Tensor, texts: Sequence[str]) -> Tensor:
        """Return the softmax of scaled cosine similarities: float32 [B, T].

        Args:
            images: uint8 [B, H, W] or [B, H, W, 3].
            texts: T prompts.
        """
        return self._text_probabilities(self.image_features(images), texts)

    def _text_probabilities(self, features: Tensor, texts: Sequence[str]) -> Tensor:
        scale = self.model.logit_scale.exp().detach()
        return (scale * features @ self.text_features(texts).T).softmax(dim=-1)

    def label_scores(self, images: Tensor) -> Tensor:
        """Return the probabilities of the label prompts, one per class: float32 [B, classes]."""
        return self.probabilities(images, label_prompts(self.kind.class_names))

    def quality_scores(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the probabilities of each image's three quality prompts: float32 [B, 3].

        Args:
            images: uint8 [B, H, W] or [B, H, W, 3].
            labels: int64 [B], the classes that the prompts name.
        """
        features, scores = self.image_features(images), torch.empty(len(images), 3)
        for label in labels.unique().tolist():
            mask = labels == label
            prompts = quality_prompts(self.kind.class_names[label], self.kind)
            scores[mask] = self._text_probabilities(features[mask], prompts)
        return scores


class NoScorer:
    """A scorer without prompts, for classes that no scorer was trained on."""

    name = NO_SCORER

    def label_scores(self, images: Tensor) -> Tensor:
        """Return float32 [B, 0]."""
        return torch.empty(len(images), 0)

    def quality_scores(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return float32 [B, 0]."""
        return torch.empty(len(images), 0)


Scorer = ClipScorer | NoScorer


def select_scores(scores: Tensor, labels: Tensor) -> Tensor | None:
    """Return each image's score for its label: float32 [B]; None for the scores of NoScorer.

    Args:
        scores: float32 [B, classes], or [B, 0] from NoScorer.
        labels: int64 [B].
    """
    return scores.gather(1, labels[:, None])[:, 0] if scores.shape[1] else None


def zero_shot_accuracy(scorer: ClipScorer, real: LabelledImages) -> float:
    """Return the share of images whose label prompt has the highest score, in [0, 1]."""
    predictions = scorer.label_scores(real.images).argmax(dim=1)
    return (predictions == real.labels).float().mean().item()


def can_score(scorer_name: str, kind: ImageKind) -> bool:
    """Return whether a scorer can score such images: the embedded one only Fashion-MNIST."""
    return scorer_name != EMBEDDED or kind == FASHION_MNIST


def load_scorer(name_or_folder: str, kind: ImageKind) -> ClipScorer:
    """Load the embedded scorer, a CLIP from a local folder, or USER/NAME@REVISION on the Hub.

    Args:
        name_or_folder: one of SCORERS, a folder, or another name on the Hub.
        kind: the kind of images to score; the prompts name its classes.

    Raises:
        ScoringError: it is missing or damaged, cannot be downloaded, is not a CLIP, or is for other
            images.
    """
    if not can_score(name_or_folder, kind):
        raise ScoringError(
            f"The scorer {EMBEDDED} has seen nothing but Fashion-MNIST, so it cannot score other "
            "classes; name a CLIP of the Hub or a folder with one."
        )
    source = str(BUNDLED_SCORER) if name_or_folder == EMBEDDED else name_or_folder
    try:
        if Path(source).is_dir():
            check_folder(Path(source), WEIGHTS_FILE)
            read_config(Path(source), "config.json", model_type="clip")
            model, processor = _load_clip(source, "main")
        else:
            repository, _, revision = source.partition("@")
            offline = not is_hub_reachable(repository)
            model, processor = _load_clip(repository, revision or "main", offline)
    except CheckpointError as error:
        raise ScoringError(f"The scorer {name_or_folder} could not be loaded: {error}.") from error
    except Exception as error:  # tokenizers raises plain Exception
        raise ScoringError(
            f"The scorer {name_or_folder} could not be loaded ({reason(error)}); connect to the "
            f"network, name a local folder that holds it, or use {EMBEDDED}."
        ) from error
    return ClipScorer(model, processor, name_or_folder, kind)


def _load_clip(
    source: str, revision: str, offline: bool = False
) -> tuple[CLIPModel, CLIPProcessor]:
    model, info = CLIPModel.from_pretrained(
        source,
        revision=revision,
        local_files_only=offline,
        use_safetensors=True,
        dtype=torch.float32,
        output_loading_info=True,
    )
    processor = CLIPProcessor.from_pretrained(source, revision=revision, local_files_only=offline)
    missing = sorted(info["missing_keys"] | info["mismatched_keys"])
    if missing:
        raise CheckpointError(
            f"{WEIGHTS_FILE} does not fill {missing[0]}, which the network in config.json has; "
            "copy both from one scorer"
        )
    words, vocab_size = len(processor.tokenizer), model.config.text_config.vocab_size
    if words > vocab_size:
        raise CheckpointError(
            f"tokenizer.json has {words} words, but the network knows {vocab_size}; copy both "
            "from one scorer"
        )
    check_finite(model)
    return model, processor
