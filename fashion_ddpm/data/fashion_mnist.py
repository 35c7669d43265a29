"""Fashion-MNIST from torchvision, with a fixed validation split."""

import hashlib
import tempfile
from pathlib import Path

import torch
from torchvision.datasets import FashionMNIST
from torchvision.datasets.utils import extract_archive

from fashion_ddpm.core.errors import reason
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.data.labelled_images import DataError, LabelledImages

VALIDATION_DIVISOR = 12
"""One training image in 12 is for validation: 5,000 of the 60,000."""

SPLIT_SEED = 20_170_825
"""Seed of the permutation that selects the validation images."""

CHECKSUM_FILE = "MD5SUMS"
"""Replaces the official checksums for a subset of the data; in the format of md5sum."""


def load_split(data_dir: str | Path, split: str) -> LabelledImages:
    """Return a split of Fashion-MNIST, and download the files if they are missing.

    Args:
        data_dir: torchvision's root, which holds FashionMNIST/raw, perhaps read-only, with the
            four files packed (.gz) or unpacked.
        split: train (55,000 images), validation (5,000) or test (10,000).

    Raises:
        DataError: a file is damaged or has another checksum, or the download failed.
    """
    data_dir = Path(data_dir)
    raw = raw_folder(data_dir)
    if not (_has_files(raw, packed=True) or _has_files(raw, packed=False)):
        _download(data_dir)
    if not _has_files(raw, packed=False) and (errors := checksum_errors(raw)):
        raise DataError(errors[0])
    images = read_unchecked(data_dir, train=split != "test")
    if split == "test":
        return images
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SPLIT_SEED))
    count = len(images) // VALIDATION_DIVISOR
    return images.select(order[:count] if split == "validation" else order[count:])


def raw_folder(data_dir: Path) -> Path:
    """Return the folder where torchvision keeps the four files."""
    return data_dir / "FashionMNIST" / "raw"


def official_checksums() -> dict[str, str]:
    """Return the md5 of each of the four packed files from torchvision."""
    return dict(FashionMNIST.resources)


def checksum_errors(raw: Path) -> list[str]:
    """Return a sentence for each packed file with another checksum than expected."""
    expected = official_checksums()
    if (raw / CHECKSUM_FILE).exists():
        lines = (raw / CHECKSUM_FILE).read_text().splitlines()
        expected = {name: md5 for md5, name in (line.split() for line in lines)}
    return [
        f"{raw / name} has md5 {actual}; the official file has {md5}: delete it and load again."
        for name, md5 in expected.items()
        if (raw / name).exists()
        and (actual := hashlib.md5((raw / name).read_bytes()).hexdigest()) != md5
    ]


def read_unchecked(data_dir: Path, train: bool) -> LabelledImages:
    """Read the 60,000 or the 10,000 images without checksums; write nothing to the folder.

    Args:
        data_dir: torchvision's root, which holds the four files packed or unpacked.
        train: whether to read the training images or the test images.

    Raises:
        DataError: a file is damaged.
    """
    raw = raw_folder(data_dir)
    try:
        if _has_files(raw, packed=False):
            dataset = FashionMNIST(str(data_dir), train=train)
        else:
            with tempfile.TemporaryDirectory() as folder:
                unpacked = raw_folder(Path(folder))
                unpacked.mkdir(parents=True)
                for name in official_checksums():
                    extract_archive(raw / name, unpacked)
                dataset = FashionMNIST(folder, train=train)
    except (AssertionError, EOFError, OSError, LookupError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{raw} holds a file that cannot be unpacked or is not in the IDX format "
            f"({reason(error)}): delete its files and load again."
        ) from error
    if len(dataset.data) != len(dataset.targets):
        raise DataError(
            f"{len(dataset.data)} images but {len(dataset.targets)} labels: the files do not "
            "belong together; delete them and load again."
        )
    return LabelledImages(dataset.data, dataset.targets.long(), FASHION_MNIST)


def _has_files(raw: Path, packed: bool) -> bool:
    names = [name if packed else name.removesuffix(".gz") for name in official_checksums()]
    return all((raw / name).exists() for name in names)


def _download(data_dir: Path) -> None:
    try:
        FashionMNIST(str(data_dir), download=True)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"{data_dir} does not hold Fashion-MNIST and it could not be downloaded "
            f"({reason(error)}): connect to the network, or put its four .gz files "
            f"into {raw_folder(data_dir)}, or name another folder with --data-dir."
        ) from error
