"""The data set of a run, which must not change when the run is resumed."""

from collections.abc import Iterator
from pathlib import Path

from fashion_ddpm.checkpoints.locate import read_class_names, read_run
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.data_settings import FOLDER_PREFIX
from fashion_ddpm.core.distributed import gather_parts
from fashion_ddpm.data.fingerprint import (
    Fingerprint,
    describe_changes,
    describe_class_changes,
    read_fingerprint,
    write_fingerprint,
)
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.data.load import DataSet, load_data_set
from fashion_ddpm.training.run_folder import RunFolder

UNRECORDED_WARNING = (
    "this run began before the pictures of a run were recorded, so that nothing shows whether "
    "they are still the same; from now on they are recorded"
)


def load_run_data(config: TrainConfig) -> tuple[DataSet, tuple[str, ...]]:
    """Read the data set of a run, with its classes in the order that the run already has.

    Args:
        config: the run, new or resumed.

    Returns:
        The data set, and warnings about what could not be checked.

    Raises:
        DataError: it cannot be read, has changed since the run began, or differs between processes.
    """
    run = _find_begun_run(config)
    recorded = read_fingerprint(run.data) if run and run.data.exists() else None
    order = recorded.class_names if recorded else _read_published_order(config, run)
    data = load_data_set(config, gather_parts(order)[0])
    _check_agreement(config, data)
    if recorded:
        differences = describe_changes(recorded, data.fingerprint)
    else:
        differences = _find_unrecorded_changes(config, run, data) if run else iter(())
    # The main process decides for all: its view of the run's folder is the one that counts.
    if difference := gather_parts("; ".join(differences))[0]:
        raise DataError(
            f"--dataset {config.dataset} is not what the run in {config.output_dir} began with: "
            f"{difference}; restore it, or name another --output-dir to begin a new run."
        )
    unrecorded = gather_parts(run is not None and recorded is None)[0]
    return data, (UNRECORDED_WARNING,) if unrecorded else ()


def check_run_data(folder: RunFolder, fingerprint: Fingerprint) -> None:
    """Raise DataError if the run in the folder was trained on other pictures."""
    if folder.data.exists() and read_fingerprint(folder.data).digest != fingerprint.digest:
        raise DataError(
            f"{folder.root} holds by now a run on other pictures; name another --output-dir."
        )


def record_run_data(folder: RunFolder, fingerprint: Fingerprint) -> None:
    """Write the fingerprint of a run's data; must precede RunFolder.begin."""
    folder.root.mkdir(parents=True, exist_ok=True)
    write_fingerprint(folder.data, fingerprint)


def _find_begun_run(config: TrainConfig) -> RunFolder | None:
    """Return the folder of the run that is resumed or cooled down; None for a new run."""
    folder, source = RunFolder(config.output_dir), Path(config.from_state)
    if folder.config.exists():
        return folder
    if not config.from_state:
        return None
    return RunFolder(source if RunFolder(source).states.is_dir() else source.parent.parent)


def _read_published_order(config: TrainConfig, run: RunFolder | None) -> tuple[str, ...]:
    """Return the class names of class folders in the order of an existing checkpoint, or ()."""
    if not config.dataset.startswith(FOLDER_PREFIX):
        return ()
    if run:
        return tuple(read_run(run.checkpoint).get("class_names", ()))
    checkpoint = config.teacher or config.initial_checkpoint
    return read_class_names(checkpoint) if checkpoint else ()


def _find_unrecorded_changes(config: TrainConfig, run: RunFolder, data: DataSet) -> Iterator[str]:
    """Yield what has changed, as far as that shows without a recorded fingerprint."""
    recorded = run.read_settings()["dataset"]
    if recorded != config.dataset:
        yield f"that was {recorded}, whose pictures were not recorded"
    names = read_run(run.checkpoint).get("class_names")
    if names:
        yield from describe_class_changes(names, data.kind.class_names)


def _check_agreement(config: TrainConfig, data: DataSet) -> None:
    """Raise DataError in all processes if one of them has read other data."""
    digests = gather_parts(data.fingerprint.digest)
    differing = [rank for rank, digest in enumerate(digests) if digest != digests[0]]
    if differing:
        raise DataError(
            f"process {differing[0]} reads other pictures in --dataset {config.dataset} than "
            "process 0: give all machines the same files."
        )
