"""Loading any --dataset as three splits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fashion_ddpm.core.data_settings import FASHION, FOLDER_PREFIX, DataSettings
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.data.decode import read_pictures
from fashion_ddpm.data.fashion_mnist import SPLIT_SEED, VALIDATION_DIVISOR, load_split
from fashion_ddpm.data.fingerprint import Fingerprint, fingerprint_pictures, fingerprint_splits
from fashion_ddpm.data.hub_dataset import list_hub_dataset
from fashion_ddpm.data.image_folder import list_image_folder
from fashion_ddpm.data.labelled_images import DataError, LabelledImages, class_counts
from fashion_ddpm.data.listing import Listing


@dataclass(frozen=True)
class DataSet:
    """A data set in memory.

    Attributes:
        name: its public name.
        train, validation, test: disjoint splits of one kind.
        fingerprint: of all splits.
        notes: sentences on left-out pictures.
    """

    name: str
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    fingerprint: Fingerprint
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> ImageKind:
        """The kind of the images."""
        return self.train.kind

    def lines(self) -> Iterator[str]:
        """Yield lines for the log: the kind, the number of images per class, the notes."""
        yield f"{self.name}: {self.kind}"
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        for name, split in splits.items():
            counts = ", ".join(f"{key} {count:,}" for key, count in class_counts(split).items())
            yield f"{name}: {len(split):,} images ({counts})"
        yield from self.notes


def load_data_set(settings: DataSettings, class_order: Sequence[str] = ()) -> DataSet:
    """Read a data set; the same files give the same splits in the same order.

    Args:
        settings: the data set, and how its pictures become images.
        class_order: class names in the network's label order, for class folders of these names.

    Raises:
        DataError: it cannot be read or used.
        ConfigError: a class name is not allowed.
    """
    if settings.dataset == FASHION:
        names = ("train", "validation", "test")
        splits = {name: load_split(settings.data_dir, name) for name in names}
        train, validation, test = splits.values()
        return DataSet(settings.public_name, train, validation, test, fingerprint_splits(splits))
    if settings.dataset.startswith(FOLDER_PREFIX):
        return _read(settings, list_image_folder(settings.source, class_order))
    return _read(settings, list_hub_dataset(settings.source))


def _read(settings: DataSettings, listing: Listing) -> DataSet:
    ImageKind(listing.class_names, image_size=8, channels=1)  # checks the names before reading
    pixels = read_pictures(listing, settings)
    channels = 1 if pixels.images.ndim == 3 else 3
    kind = ImageKind(listing.class_names, pixels.images.shape[1], channels)
    train_labels, test_labels = (
        [picture.label for picture in pictures if picture.name in pixels.hashes]
        for pictures in (listing.train, listing.test)
    )
    labels = torch.tensor(train_labels + test_labels)
    images = LabelledImages(torch.from_numpy(pixels.images), labels, kind)
    train = _shuffle(images.take(len(train_labels)))
    test = _shuffle(images.select(slice(len(train_labels), None)))
    # Of every 12 pictures of a class, the last is for validation, and without a test split the
    # one before it for testing; fewer than 12 are all for training.
    position = _position_in_class(train.labels) % VALIDATION_DIVISOR
    is_validation = position == VALIDATION_DIVISOR - 1
    is_test = (position == VALIDATION_DIVISOR - 2) & (not listing.test)
    if not is_validation.any():
        raise DataError(
            f"no class has {VALIDATION_DIVISOR} pictures, so none can be kept for validation: add "
            "pictures."
        )
    return DataSet(
        settings.public_name,
        train=train.select(~is_validation & ~is_test),
        validation=train.select(is_validation),
        test=test if listing.test else train.select(is_test),
        fingerprint=fingerprint_pictures(listing, pixels.hashes),
        notes=(*listing.notes, *pixels.notes),
    )


def _shuffle(images: LabelledImages) -> LabelledImages:
    """Return the images in a fixed random order, so that the first ones are of all classes."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SPLIT_SEED))
    return images.select(order)


def _position_in_class(labels: Tensor) -> Tensor:
    """Return each image's index among the images of its class."""
    positions = torch.empty_like(labels)
    for label in labels.unique():
        mask = labels == label
        positions[mask] = torch.arange(int(mask.sum()))
    return positions
