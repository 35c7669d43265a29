"""Training of the classifier, on real images, or on generated ones to evaluate those."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.locate import RUN_FILE
from fashion_ddpm.core.config import ClassifierConfig
from fashion_ddpm.core.images import to_model
from fashion_ddpm.core.provenance import current_commit, provenance
from fashion_ddpm.core.step_plan import batch_indices, learning_rate_at, step_seed
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.data.load import load_data_set
from fashion_ddpm.scoring.classifier import Classifier, build_classifier
from fashion_ddpm.scoring.degradations import shift_images

ERASED_SIDES = (4, 13)
"""Smallest side of an erased patch, and the largest plus 1, in pixels."""


def erase(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Erase a random square in some images (Zhong et al., 2017): uint8 [B, H, W, …] → same."""
    count, height, width = images.shape[:3]
    sides = torch.randint(*ERASED_SIDES, (count, 1), generator=generator)
    sides[torch.rand(count, generator=generator) >= probability] = 0
    top = torch.randint(0, height, (count, 1), generator=generator) - sides // 2
    left = torch.randint(0, width, (count, 1), generator=generator) - sides // 2
    rows, columns = torch.arange(height), torch.arange(width)
    inside_rows = (rows >= top) & (rows < top + sides)
    inside_columns = (columns >= left) & (columns < left + sides)
    inside = inside_rows[:, :, None] & inside_columns[:, None, :]
    return images.masked_fill(inside.view(*inside.shape, *[1] * (images.ndim - 3)), 0)


def fit(images: LabelledImages, config: ClassifierConfig, title: str) -> Classifier:
    """Return a classifier trained on labelled images, without flips: all shoes face one way.

    Args:
        images: the training images.
        config: the run's settings.
        title: title of the progress bar.
    """
    torch.manual_seed(config.seed)
    features: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    in_bf16 = config.mixed_precision == "bf16" or (
        config.mixed_precision == "auto" and features.get("avx512_bf16", False)
    )
    model = build_classifier(images.kind).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=config.weight_decay)
    for step in tqdm(range(config.total_steps), desc=title, mininterval=5, leave=False):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(step, config)
        generator = torch.Generator().manual_seed(step_seed(config.seed, step))
        chosen = batch_indices(step, config.batch_size, len(images), config.seed)
        batch = erase(shift_images(images.images[chosen], generator), config.erased, generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=in_bf16):
            logits = model(to_model(batch).contiguous(memory_format=torch.channels_last))
        loss = nn.functional.cross_entropy(
            logits.float(), images.labels[chosen], label_smoothing=config.label_smoothing
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def accuracy(classifier: Classifier, split: LabelledImages) -> float:
    """Return the share of images that the classifier labels correctly, in [0, 1]."""
    predictions = classifier.predict(classifier.features(split.images))
    return (predictions == split.labels).float().mean().item()


def train_classifier(config: ClassifierConfig) -> Path:
    """Train the classifier on the training split, measure it, write its folder.

    Raises:
        DataError: the data cannot be read.
    """
    current_commit()  # cached now: the files may have changed when run.json records it
    data = load_data_set(config)
    print("\n".join(data.lines()), file=sys.stderr)
    classifier = fit(data.train, config, "classifier")
    scores = {
        "validation_accuracy": accuracy(classifier, data.validation),
        "test_accuracy": accuracy(classifier, data.test),
    }
    folder = Path(config.output_dir)
    temporary = atomic_folders.create_temporary_folder(folder)
    classifier.save_pretrained(temporary)
    run = {"dataset": data.name, "scores": scores, **provenance(config)}
    (temporary / RUN_FILE).write_text(json.dumps(run, indent=2) + "\n")
    atomic_folders.finalize_folder(folder)
    print(scores, file=sys.stderr)
    return folder
