"""Data sets become tensors: Fashion-MNIST through torchvision, with a fixed validation split."""

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
"""One training image in so many is kept for validation: 5,000 of the 60,000."""

SPLIT_SEED = 20_170_825
"""Seed of the permutation that picks the validation images; changing it changes the split."""

CHECKSUM_FILE = "MD5SUMS"
"""Beside the four files of a subset, in the format of md5sum: stands in for the official sums."""


def load_split(data_dir: str | Path, split: str) -> LabelledImages:
    """Return one split of Fashion-MNIST; downloads it first when the folder lacks it.

    Args:
        data_dir: torchvision's root, the folder that holds FashionMNIST/raw. May be read-only
            and may hold the four files packed (.gz) or unpacked.
        split: train (55,000 images), validation (5,000) or test (10,000).

    Raises:
        DataError: a file is damaged or not the official one, or the download failed.
    """
    data_dir = Path(data_dir)
    raw = raw_folder(data_dir)
    if not (_holds(raw, packed=True) or _holds(raw, packed=False)):
        _download(data_dir)
    if not _holds(raw, packed=False) and (errors := checksum_errors(raw)):
        raise DataError(errors[0])
    whole = read_unchecked(data_dir, train=split != "test")
    if split == "test":
        return whole
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(SPLIT_SEED))
    validation = len(whole) // VALIDATION_DIVISOR
    return whole.select(order[:validation] if split == "validation" else order[validation:])


def raw_folder(data_dir: Path) -> Path:
    """Return the folder where torchvision keeps the four files."""
    return data_dir / "FashionMNIST" / "raw"


def official_checksums() -> dict[str, str]:
    """Return the md5 of each of the four packed files, as torchvision knows them."""
    return dict(FashionMNIST.resources)


def checksum_errors(raw: Path) -> list[str]:
    """Return one sentence for each packed file that is not the official (or declared) one."""
    expected = official_checksums()
    if (raw / CHECKSUM_FILE).exists():
        lines = (raw / CHECKSUM_FILE).read_text().splitlines()
        expected = {name: md5 for md5, name in (line.split() for line in lines)}
    found = {name: raw / name for name in expected if (raw / name).exists()}
    return [
        f"{path} has md5 {md5}; the official file has {expected[name]}: delete it and load again."
        for name, path in found.items()
        if (md5 := hashlib.md5(path.read_bytes()).hexdigest()) != expected[name]
    ]


def read_unchecked(data_dir: Path, train: bool) -> LabelledImages:
    """Read the 60,000 or the 10,000 images without a look at checksums; writes nothing there.

    Args:
        data_dir: torchvision's root, which holds the four files packed or unpacked.
        train: whether the training images are wanted, or those of the test.

    Raises:
        DataError: a file cannot be unpacked or is not in the IDX format.
    """
    raw = raw_folder(data_dir)
    try:
        if _holds(raw, packed=False):
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


def _holds(raw: Path, packed: bool) -> bool:
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
