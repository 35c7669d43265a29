"""--dataset becomes three splits in memory: Fashion-MNIST's, or those of one's own pictures."""

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
    """What a network learns from and is measured by; whoever uses it need not know which it is.

    Attributes:
        name: as a checkpoint tells it.
        train, validation, test: three splits of one kind that share no picture.
        fingerprint: of all pictures in them.
        notes: sentences on what was left out.
    """

    name: str
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    fingerprint: Fingerprint
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> ImageKind:
        """What the images are."""
        return self.train.kind

    def lines(self) -> Iterator[str]:
        """Yield what was found: the kind, the images of each class, what was left out."""
        yield f"{self.name}: {self.kind}"
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        for name, split in splits.items():
            counts = ", ".join(f"{each} {count:,}" for each, count in class_counts(split).items())
            yield f"{name}: {len(split):,} images ({counts})"
        yield from self.notes


def load_data_set(settings: DataSettings, class_order: Sequence[str] = ()) -> DataSet:
    """Read a data set; the same files give the same splits in the same order.

    Args:
        settings: which, and how its pictures become images.
        class_order: class names in the label order of the network that the data set is for; it
            counts for class folders that have just these names.

    Raises:
        DataError: it cannot be read, or holds what cannot be used.
        ConfigError: its classes cannot be.
    """
    if settings.dataset == FASHION:
        splits = {
            name: load_split(settings.data_dir, name) for name in ("train", "validation", "test")
        }
        train, validation, test = splits.values()
        return DataSet(settings.public_name, train, validation, test, fingerprint_splits(splits))
    if settings.dataset.startswith(FOLDER_PREFIX):
        return _own(settings, list_image_folder(settings.source, class_order))
    return _own(settings, list_hub_dataset(settings.source))


def _own(settings: DataSettings, listing: Listing) -> DataSet:
    ImageKind(listing.class_names, image_size=8, channels=1)  # before anything is read
    pixels = read_pictures(listing, settings)
    grey = pixels.images.ndim == 3
    kind = ImageKind(listing.class_names, pixels.images.shape[1], channels=1 if grey else 3)
    pictures = [each for each in (*listing.train, *listing.test) if each.name in pixels.hashes]
    labels = torch.tensor([picture.label for picture in pictures])
    everything = LabelledImages(torch.from_numpy(pixels.images), labels, kind)
    in_train = sum(picture.name in pixels.hashes for picture in listing.train)
    given = _mixed(everything.take(in_train))
    test = _mixed(everything.select(slice(in_train, None)))
    turns = _turns(given.labels)
    # Of each class the last in every dozen is for validation, and the one before it for the test
    # where none was given: of fewer pictures all are learned from.
    validation = turns == VALIDATION_DIVISOR - 1
    tested = turns == VALIDATION_DIVISOR - 2 if not listing.test else torch.zeros_like(validation)
    if not validation.any():
        raise DataError(
            f"no class has {VALIDATION_DIVISOR} pictures, so none can be kept for validation: add "
            "pictures."
        )
    return DataSet(
        settings.public_name,
        train=given.select(~validation & ~tested),
        validation=given.select(validation),
        test=test if listing.test else given.select(tested),
        fingerprint=fingerprint_pictures(listing, pixels.hashes),
        notes=(*listing.notes, *pixels.notes),
    )


def _mixed(images: LabelledImages) -> LabelledImages:
    """Return the images in an order drawn once and for all: the first ones are of all classes."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SPLIT_SEED))
    return images.select(order)


def _turns(labels: Tensor) -> Tensor:
    """Return each image's index in its class, modulo a dozen."""
    turns = torch.empty_like(labels)
    for label in labels.unique():
        mine = labels == label
        turns[mine] = torch.arange(int(mine.sum())) % VALIDATION_DIVISOR
    return turns
