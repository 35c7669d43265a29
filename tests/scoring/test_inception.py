"""Tests of Inception's feature space, with random weights of the right shape."""

from pathlib import Path

import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.data.labelled_images import LabelledImages
from fashion_ddpm.evaluation.image_sets import ImageSets
from fashion_ddpm.evaluation.measurements import distance_rows
from fashion_ddpm.scoring.errors import ScoringError
from fashion_ddpm.scoring.inception import DOWNLOAD, load_inception


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like torch-fidelity's, with random weights."""
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save({}, path)
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        network = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path)
        )
    torch.save(network.state_dict(), path)
    return path


def test_with_a_local_file_every_distance_is_measured(
    weights: Path, real_images: LabelledImages
) -> None:
    first, second = (
        LabelledImages(real_images.images[i::20], real_images.labels[i::20], kind=FASHION_MNIST)
        for i in (0, 1)
    )
    rows = distance_rows(
        "Inception", load_inception(str(weights)), ImageSets(first, second, second, second, second)
    )
    assert rows["Inception_frechet_distance"].generated > 0  # type: ignore[operator]
    assert rows["Inception_frechet_distance"].real == pytest.approx(0, abs=1e-6)


def test_a_pickle_with_more_than_tensors_is_refused_without_loading(tmp_path: Path) -> None:
    class Trap:
        """Writes a file when it is unpickled."""

        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)  # type: ignore[return-value]

    torch.save(Trap(), tmp_path / "trap.pth")
    with pytest.raises(ScoringError, match="could not be loaded"):
        load_inception(str(tmp_path / "trap.pth"))
    assert not (tmp_path / "sprung").exists()


def test_missing_weights_are_refused_with_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match="must hold its weights"):
        load_inception(str(tmp_path / "nothing.pth"))


def test_a_failed_download_is_reported_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*arguments: object, **options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(
        "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url", unreachable
    )
    with pytest.raises(ScoringError, match=r"no route to host.+connect to the network"):
        load_inception(DOWNLOAD)
