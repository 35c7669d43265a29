"""Tests that all loaders refuse damaged or unsafe folders and run no pickle."""

import contextlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.manifest import MANIFEST, read_manifest
from fashion_ddpm.checkpoints.weights import read_config
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.image_kind import FASHION_MNIST
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT, BUNDLED_CLASSIFIER, BUNDLED_SCORER
from fashion_ddpm.diffusion.pipeline import load_pipeline
from fashion_ddpm.scoring.classifier import load_classifier
from fashion_ddpm.scoring.clip import load_scorer
from tests.tools.tampering import MANIFEST_MISMATCHES, SPOILT_FILES, Spoil, WeightsFolder

LOADERS: dict[str, tuple[Path, str, Callable[[str], object]]] = {
    "network": (BUNDLED_CHECKPOINT, "unet/diffusion_pytorch_model.safetensors", load_pipeline),
    "scorer": (BUNDLED_SCORER, "model.safetensors", partial(load_scorer, kind=FASHION_MNIST)),
    "classifier": (BUNDLED_CLASSIFIER, "model.safetensors", load_classifier),
}
each_kind = pytest.mark.parametrize("kind", LOADERS)


@pytest.fixture
def weights(kind: str, tmp_path: Path) -> WeightsFolder:
    """A copy of a bundled folder, and weights of the same shapes but other values."""
    original, name, _ = LOADERS[kind]
    folder = tmp_path / "copy"
    shutil.copytree(original, folder)
    weights = WeightsFolder(folder, name, tmp_path / "other.safetensors", tmp_path / "proof")
    shutil.copy(weights.path, tmp_path / "kept")
    weights.rewrite(lambda tensors: [value.neg_() for value in tensors.values()])
    shutil.move(weights.path, weights.other)
    shutil.move(tmp_path / "kept", weights.path)
    return weights


def load_error(kind: str, weights: WeightsFolder) -> str:
    """Load damaged weights; return the error message."""
    with pytest.raises(UserError) as caught:
        LOADERS[kind][2](str(weights.folder))
    message = str(caught.value)
    assert str(weights.folder) in message
    assert "could not be loaded" in message or "has no model_index.json" in message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 600
    assert not weights.proof.exists(), "a pickle was loaded"
    return message


@each_kind
@pytest.mark.parametrize("spoil", SPOILT_FILES.values(), ids=SPOILT_FILES)
@pytest.mark.parametrize("listed", [True, False], ids=["with manifest", "without manifest"])
def test_a_damaged_or_unsafe_file_is_refused(
    kind: str, weights: WeightsFolder, spoil: Spoil, listed: bool
) -> None:
    if not listed:
        (weights.folder / MANIFEST).unlink()
    spoil(weights)
    load_error(kind, weights)


@each_kind
@pytest.mark.parametrize("spoil", MANIFEST_MISMATCHES.values(), ids=MANIFEST_MISMATCHES)
def test_unlisted_files_are_refused(kind: str, weights: WeightsFolder, spoil: Spoil) -> None:
    spoil(weights)
    assert MANIFEST in load_error(kind, weights)


@each_kind
def test_every_listed_file_is_checked(kind: str, weights: WeightsFolder) -> None:
    for name in read_manifest(weights.folder):
        path = weights.folder / name
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        message = load_error(kind, weights)
        assert name in message
        path.unlink()
        assert name in load_error(kind, weights)
        path.write_bytes(content)
    LOADERS[kind][2](str(weights.folder))


@each_kind
def test_a_folder_without_a_manifest_loads(kind: str, weights: WeightsFolder) -> None:
    (weights.folder / MANIFEST).unlink()
    (weights.folder / "README.md").write_text("from elsewhere")
    LOADERS[kind][2](str(weights.folder))


@pytest.mark.slow
@each_kind
def test_a_damaged_config_without_a_manifest_loads_or_is_refused(
    kind: str, weights: WeightsFolder
) -> None:
    (weights.folder / MANIFEST).unlink()
    for path in sorted(weights.folder.rglob("*.json")):
        content = path.read_bytes()
        for index in range(0, len(content), max(1, len(content) // 12)):
            for damaged in (
                content[:index],
                content[:index] + b"\xff" + content[index + 1 :],
                content[:index] + b"7" + content[index + 1 :],
            ):
                path.write_bytes(damaged)
                with contextlib.suppress(UserError):
                    LOADERS[kind][2](str(weights.folder))
        path.write_bytes(content)


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "{", '{"a": 1} x', "[" * 100_000, "\udcff"], ids=repr
)
def test_an_invalid_config_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(CheckpointError, match=r"config\.json .+; copy the folder anew"):
        read_config(tmp_path, "config.json")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"auto_map": {"AutoModel": "model.Evil"}}, "asks for code of its own with auto_map"),
        ({"quantization_config": {"quant_method": "x"}}, "with quantization_config"),
        ({"model_type": "evil"}, "asks for model_type 'evil', but only 'clip' is loaded"),
        ({}, "asks for model_type None"),
    ],
)
def test_a_config_that_asks_for_code_is_refused(
    tmp_path: Path, content: dict[str, object], expected: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=expected):
        read_config(tmp_path, "config.json", model_type="clip")
