"""Training of the embedded scorer, a small CLIP of garments and their image quality."""

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor
from torch.nn.functional import log_softmax
from tqdm import tqdm
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    PreTrainedTokenizerFast,
)

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.locate import RUN_FILE
from fashion_ddpm.core.config import ScorerConfig
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.images import IMAGE_SIZE, to_model
from fashion_ddpm.core.provenance import current_commit, provenance
from fashion_ddpm.core.step_plan import batch_indices, learning_rate_at, step_seed
from fashion_ddpm.data.fashion_mnist import load_split
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.scoring.clip import ClipScorer, zero_shot_accuracy
from fashion_ddpm.scoring.clip_baseline import measure_baseline, save_baseline
from fashion_ddpm.scoring.clip_captions import QUALITIES, Captions, build_captions
from fashion_ddpm.scoring.degradations import (
    add_random_blur,
    add_random_noise,
    draw_half_denoised,
    perturb_slightly,
)

PAD, BEGIN, UNKNOWN, END = "<pad>", "<begin>", "<unknown>", "<end>"
MAX_WORDS = 24
QUALITY_SHARES = (0.7, 0.1, 0.1, 0.1)
"""Shares of QUALITIES in a batch."""

LABEL_WEIGHT = 2.0
"""Weight of the loss over the label prompts alone, on which the scores depend."""


def build_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Return a tokenizer of the words of the captions, in lower case."""
    words = sorted({word for text in texts for word in text.lower().replace(",", " ").split()})
    special = (PAD, BEGIN, UNKNOWN, END)
    vocabulary = {word: index for index, word in enumerate((*special, *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Replace(Regex("[,.!?]"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}",
        special_tokens=[(BEGIN, vocabulary[BEGIN]), (END, vocabulary[END])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BEGIN,
        unk_token=UNKNOWN,
        eos_token=END,
        model_max_length=MAX_WORDS,
        model_input_names=["input_ids", "attention_mask"],
    )


def build_processor(tokenizer: PreTrainedTokenizerFast) -> CLIPProcessor:
    """Return a processor that maps 28×28 pixels to [−1, 1], as to_model does."""
    side = {"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    images = CLIPImageProcessor(
        size=side, crop_size=side, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    return CLIPProcessor(images, tokenizer)


def build_clip(config: ScorerConfig, tokenizer: PreTrainedTokenizerFast) -> CLIPModel:
    """Return a randomly initialised CLIP of the configured size."""
    text = {
        "hidden_act": "gelu",
        "vocab_size": len(tokenizer),
        "hidden_size": config.text_width,
        "intermediate_size": 2 * config.text_width,
        "num_hidden_layers": config.text_layers,
        "num_attention_heads": max(1, config.text_width // 32),
        "max_position_embeddings": MAX_WORDS,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    vision = {
        "hidden_act": "gelu",
        "hidden_size": config.vision_width,
        "intermediate_size": 2 * config.vision_width,
        "num_hidden_layers": config.vision_layers,
        "num_attention_heads": max(1, config.vision_width // 32),
        "image_size": IMAGE_SIZE,
        "patch_size": config.patch_size,
    }
    return CLIPModel(
        CLIPConfig(text_config=text, vision_config=vision, projection_dim=config.projection_dim)
    )


def select_captions(step: int, count: int, config: ScorerConfig) -> Tensor:
    """Return the indices of a step's captions: the ten label prompts, then random others."""
    generator = torch.Generator().manual_seed(step_seed(config.seed, step) + 1)
    num_labels = len(CLASS_NAMES)
    rest = num_labels + torch.randperm(count - num_labels, generator=generator)
    return torch.cat([torch.arange(num_labels), rest])[: config.captions_per_step]


def contrastive_loss(logits: Tensor, weights: Tensor) -> Tensor:
    """Return CLIP's symmetric loss, for images with several true captions.

    A second term compares the label prompts among themselves, as scoring does; without it, the
    many captions on quality would leave garments a small part of the loss.

    Args:
        logits: float32 [B, C], scaled similarities of images and captions, label prompts first.
        weights: float32 [B, C], weights of true captions; 0 for false ones.
    """
    true, labels = (weights > 0).float(), slice(len(CLASS_NAMES))
    symmetric = 0.5 * (_cross_entropy(logits, weights) + _cross_entropy(logits.T, true.T))
    return symmetric + LABEL_WEIGHT * _cross_entropy(logits[:, labels], weights[:, labels])


def _cross_entropy(logits: Tensor, weights: Tensor) -> Tensor:
    totals = weights.sum(dim=1, keepdim=True)
    targets = weights / totals.clamp(min=1e-6)
    losses = -(targets * log_softmax(logits, dim=1)).sum(dim=1)
    return losses.sum() / (totals > 0).sum().clamp(min=1)


@dataclasses.dataclass(frozen=True)
class TrainingImages:
    """The training images: real ones and half-denoised ones."""

    real: LabelledImages
    half_denoised: LabelledImages

    def batch(self, step: int, config: ScorerConfig) -> tuple[Tensor, Tensor, Tensor]:
        """Return a step's images uint8 [B, 28, 28], labels and qualities int64 [B]."""
        generator = torch.Generator().manual_seed(step_seed(config.seed, step))
        sizes = [round(share * config.batch_size) for share in QUALITY_SHARES[1:]]
        sizes = [config.batch_size - sum(sizes), *sizes]
        real = batch_indices(step, config.batch_size, len(self.real), config.seed)
        half_denoised = torch.randint(len(self.half_denoised), (sizes[-1],), generator=generator)
        clear, noisy, blurred, _ = self.real.images[real].split(sizes)
        labels = self.real.labels[real].clone()
        labels[-sizes[-1] :] = self.half_denoised.labels[half_denoised]
        images = [
            perturb_slightly(clear, generator),
            add_random_noise(noisy, generator),
            add_random_blur(blurred, generator),
            self.half_denoised.images[half_denoised],
        ]
        qualities = torch.repeat_interleave(torch.arange(len(QUALITIES)), torch.tensor(sizes))
        return torch.cat(images), labels, qualities


def _train_steps(
    model: CLIPModel,
    captions: Captions,
    tokens: dict[str, Tensor],
    images: TrainingImages,
    config: ScorerConfig,
) -> Iterator[float]:
    """Train; yield each step's loss."""
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=config.weight_decay)
    for step in range(config.total_steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(step, config)
        batch, labels, qualities = images.batch(step, config)
        selected = select_captions(step, len(captions.texts), config)
        weights = captions.targets(labels, qualities)[:, selected]
        output = model(
            input_ids=tokens["input_ids"][selected],
            attention_mask=tokens["attention_mask"][selected],
            pixel_values=to_model(batch).expand(-1, 3, -1, -1),
        )
        loss = contrastive_loss(output.logits_per_image, weights)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=4.6)
        yield loss.item()


def train_scorer(config: ScorerConfig, pipeline: FashionDDPMPipeline) -> Path:
    """Train the scorer, measure it on the test split, write its folder.

    Args:
        config: the run's settings.
        pipeline: the diffusion model that draws the half-denoised images.

    Raises:
        DataError: the data cannot be read.
    """
    current_commit()  # cached now: the files may have changed when run.json records it
    torch.manual_seed(config.seed)
    captions = build_captions()
    tokenizer = build_tokenizer(captions.texts)
    model, processor = build_clip(config, tokenizer), build_processor(tokenizer)
    tokens = tokenizer(captions.texts, return_tensors="pt", padding=True)
    real = load_split(config.data_dir, "train")
    print("drawing half-denoised images", file=sys.stderr)
    images, labels = draw_half_denoised(pipeline, config.half_denoised_seeds, seed=10**6)
    half_denoised = LabelledImages(images, labels, real.kind)
    steps = _train_steps(model, captions, tokens, TrainingImages(real, half_denoised), config)
    log, loss_sum = [], 0.0
    for step, loss in enumerate(tqdm(steps, total=config.total_steps, mininterval=10), start=1):
        loss_sum += loss
        if step % 100 == 0:
            log.append({"images_seen": step * config.batch_size, "loss": loss_sum / 100})
            loss_sum = 0.0
            print(log[-1], file=sys.stderr)
    scorer = ClipScorer(model, processor, config.output_dir, real.kind)
    return _save_scorer(scorer, config, log)


def _save_scorer(scorer: ClipScorer, config: ScorerConfig, log: list[dict[str, float]]) -> Path:
    folder = Path(config.output_dir)
    held_out = {name: load_split(config.data_dir, name) for name in ("validation", "test")}
    scores = {
        f"{name}_zero_shot_accuracy": zero_shot_accuracy(scorer, split)
        for name, split in held_out.items()
    }
    temporary = atomic_folders.create_temporary_folder(folder)
    scorer.model.save_pretrained(temporary)
    scorer.processor.save_pretrained(temporary)
    save_baseline(measure_baseline(scorer, held_out["test"]), temporary)
    run = {
        "class_names": list(CLASS_NAMES),
        "qualities": list(QUALITIES),
        "scores": scores,
        **provenance(config),
        "images_seen": config.total_steps * config.batch_size,
        "log": log,
    }
    (temporary / RUN_FILE).write_text(json.dumps(run, indent=2) + "\n")
    atomic_folders.finalize_folder(folder)
    print(scores, file=sys.stderr)
    return folder
