"""Extract the small bundled data sets from the official files.

python -m tests.tools.make_data --data-dir DIR writes tests/fashion-mnist-mini, which replaces the
data set in the tests, and checkpoints/real-test-images.npz, on which scorers are calibrated.
"""

import argparse
import gzip
import hashlib
import struct
from pathlib import Path

import torch

from fashion_ddpm.checkpoints.npz import save_arrays
from fashion_ddpm.core.image_kind import CLASS_NAMES, FASHION_MNIST
from fashion_ddpm.data.fashion_mnist import CHECKSUM_FILE, load_split, raw_folder
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.scoring.clip_baseline import REAL_SAMPLE
from tests.tools import MINI_DATA

PER_CLASS = {"train": 42, "test": 20}
FILE_PREFIX = {"train": "train", "test": "t10k"}


def first_of_each_class(split: LabelledImages, per_class: int) -> LabelledImages:
    """Return the first images of each class, in the split's order."""
    classes = range(len(CLASS_NAMES))
    indices = torch.cat([(split.labels == c).nonzero().flatten()[:per_class] for c in classes])
    indices = indices.sort().values
    return LabelledImages(split.images[indices], split.labels[indices], kind=FASHION_MNIST)


def write_raw(folder: Path, split: LabelledImages, prefix: str) -> None:
    """Write a split as two compressed IDX files, as in the official data set."""
    count, height, width = split.images.shape
    files = {
        "images-idx3": struct.pack(">IIII", 2051, count, height, width)
        + split.images.numpy().tobytes(),
        "labels-idx1": struct.pack(">II", 2049, count) + split.labels.byte().numpy().tobytes(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for kind, content in files.items():
        # mtime=0, so that the same images give the same file.
        (folder / f"{prefix}-{kind}-ubyte.gz").write_bytes(gzip.compress(content, 9, mtime=0))


def write_checksums(folder: Path) -> None:
    """Write the checksums of a subset's files in md5sum's format."""
    files = sorted(folder.glob("*.gz"))
    lines = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / CHECKSUM_FILE).write_text("".join(lines))


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    data_dir = parser.parse_args().data_dir
    for name, per_class in PER_CLASS.items():
        sample = first_of_each_class(load_split(data_dir, name), per_class)
        write_raw(raw_folder(MINI_DATA), sample, FILE_PREFIX[name])
    write_checksums(raw_folder(MINI_DATA))
    real = first_of_each_class(load_split(data_dir, "test"), PER_CLASS["test"])
    save_arrays(REAL_SAMPLE, {"images": real.images.numpy(), "labels": real.labels.byte().numpy()})


if __name__ == "__main__":
    main()
