"""Judges generated images by an independent classifier and by their pixels.

python -m tests.tools.judge IMAGES.npz --data-dir DIR trains a small network on the 55,000 real
training images (a few minutes on two cores, kept in --classifier) and prints, for the generated
images and for as many real test images, how many look like their class to it, the mean pixel, and
the share of nearly black pixels. It shares nothing with the scorer but the data.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fashion_ddpm.data import LabelledImages, load_split
from fashion_ddpm.images import to_model
from fashion_ddpm.labels import CLASS_NAMES
from fashion_ddpm.settings import default_data_dir
from fashion_ddpm.step_plan import batch_indices

BATCH_SIZE = 128
PEAK_LEARNING_RATE = 3e-3
NEARLY_BLACK = 8
"""Highest pixel value that counts as black: clothes lie on exact black."""


def build_classifier() -> nn.Sequential:
    """Returns an untrained network: float32 [B, 1, 28, 28] in [−1, 1] → logits [B, 10]."""
    layers: list[nn.Module] = []
    for inside, outside, stride in ((1, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2)):
        layers += [
            nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
        ]
    head = [nn.Flatten(), nn.Dropout(0.3), nn.Linear(128 * 7 * 7, len(CLASS_NAMES))]
    return nn.Sequential(*layers, *head)


def train_classifier(real: LabelledImages, epochs: int, seed: int = 0) -> nn.Sequential:
    """Trains a classifier on real images."""
    torch.manual_seed(seed)
    model = build_classifier()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.02)
    steps = epochs * len(real) // BATCH_SIZE
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=steps)
    for step in range(steps):
        chosen = batch_indices(step, BATCH_SIZE, len(real), seed)
        logits = model(to_model(real.images[chosen]))
        loss = nn.functional.cross_entropy(logits, real.labels[chosen], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        plan.step()
    return model.eval()


@torch.no_grad()
def predict(classifier: nn.Module, images: Tensor) -> Tensor:
    """Returns the most likely class: uint8 [B, 28, 28] → int64 [B]."""
    return torch.cat([classifier(to_model(part)).argmax(dim=1) for part in images.split(500)])


def describe(classifier: nn.Module, split: LabelledImages) -> str:
    """Returns one line: class accuracy, the classes it fails on, and the pixels."""
    right = (predict(classifier, split.images) == split.labels).float()
    by_class = ", ".join(
        f"{name} {right[split.labels == label].mean():.0%}"
        for label, name in enumerate(CLASS_NAMES)
        if (split.labels == label).any()
    )
    mean = to_model(split.images).mean().item()
    black = (split.images <= NEARLY_BLACK).float().mean().item()
    return (
        f"{len(split):,} images: class accuracy {right.mean():.1%}, mean pixel {mean:.3f}, "
        f"pixels at most {NEARLY_BLACK}/255 {black:.1%} ({by_class})"
    )


def load_images(path: Path) -> LabelledImages:
    """Reads what the generate command wrote into an .npz file."""
    with np.load(path) as arrays:
        return LabelledImages(
            torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"]).long()
        )


def load_or_train(path: Path, data_dir: str, epochs: int) -> nn.Module:
    """Returns the classifier in a file, trained first when the file is not there."""
    if path.exists():
        model = build_classifier()
        model.load_state_dict(load_file(path))
        return model.eval()
    begin = time.monotonic()
    model = train_classifier(load_split(data_dir, "train"), epochs)
    print(f"trained the classifier for {epochs} epochs in {time.monotonic() - begin:.0f} s")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), path)
    return model


def main() -> None:
    """Prints one line for the real images and one for each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--data-dir", default=default_data_dir())
    parser.add_argument("--classifier", type=Path, default=Path("runs/classifier.safetensors"))
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()
    classifier = load_or_train(arguments.classifier, arguments.data_dir, arguments.epochs)
    print("real test:", describe(classifier, load_split(arguments.data_dir, "test")))
    for path in arguments.files:
        print(f"{path.name}:", describe(classifier, load_images(path)))


if __name__ == "__main__":
    main()
