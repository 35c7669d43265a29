"""Tests of the exported site's folder: complete, checked, deterministic, whole or nothing."""

import base64
import gzip
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fashion_ddpm.checkpoints.errors import CheckpointError
from fashion_ddpm.checkpoints.locate import distilled_folder
from fashion_ddpm.core.config import NOISE_SCHEDULES, SCHEDULES
from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.gallery import BROKEN, REPAIRED, first_images, load_story
from fashion_ddpm.diffusion.pipeline import load_pipeline, short_weights_hash
from fashion_ddpm.diffusion.schedules import SIGMA_SPACED, alpha_bars, schedule_alpha_bars
from fashion_ddpm.web.command import WebExport, export_web, first_image_bytes
from fashion_ddpm.web.errors import WebError
from fashion_ddpm.web.site_data import describe_mistake
from fashion_ddpm.web.site_folder import collect_files, write_folder

MB = 1_000_000
SVG_NAMESPACE = "http://www.w3.org/2000/svg"

ADDRESS = re.compile(r"""(?:src=|import\(|from |url\(|fetch\()\s*["']?(?:https?:)?//""")
"""Of something that a page loads from another host."""


def read_json(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_manifest_lists_every_file_with_its_size_and_checksum(site: Path) -> None:
    manifest = read_json(site / "manifest.json")
    assert set(manifest["files"]) == list_files(site) - {"manifest.json"}
    assert manifest["version"]
    for name, entry in manifest["files"].items():
        content = (site / name).read_bytes()
        assert entry["bytes"] == len(content)
        if name.endswith(".gz"):
            content = gzip.decompress(content)
            assert entry["unpacked_bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest(), name


def test_the_files_that_site_json_names_are_there(site: Path) -> None:
    described, files = read_json(site / "data/site.json.gz"), list_files(site)
    networks = described["networks"]
    assert networks.keys() == {"base", "turbo"}
    assert {each["file"] for each in networks.values()} | {described["scorer"]["file"]} <= files
    assert {"index.html", "vendor/gifenc.js", "data/trajectory.html"} <= files


def test_the_networks_have_the_names_of_their_weights(
    site: Path, checkpoint_with_turbo: Path
) -> None:
    networks = read_json(site / "data/site.json.gz")["networks"]
    for name, folder in (
        ("base", checkpoint_with_turbo),
        ("turbo", distilled_folder(checkpoint_with_turbo)),
    ):
        pipeline = load_pipeline(folder)
        assert networks[name]["model"] == short_weights_hash(pipeline)
        assert networks[name]["prediction_type"] == pipeline.scheduler.config["prediction_type"]


def test_the_schedules_are_pythons(site: Path, checkpoint_with_turbo: Path) -> None:
    described = read_json(site / "data/site.json.gz")
    scheduler = load_pipeline(checkpoint_with_turbo).scheduler
    assert described["alpha_bars"] == alpha_bars(scheduler).tolist()
    assert list(described["schedules"]) == list(SCHEDULES)
    for name in (*NOISE_SCHEDULES, "report"):
        assert described["schedules"][name] == schedule_alpha_bars(name, scheduler).tolist()
    assert [described["schedules"][name] for name in SIGMA_SPACED] == [None] * len(SIGMA_SPACED)


def test_the_gallery_holds_the_first_images(site: Path, checkpoint_with_turbo: Path) -> None:
    gallery = read_json(site / "data/gallery.json.gz")
    result = first_images(Demo(checkpoint_with_turbo))
    assert result
    for name in ("noisy", "clean"):
        expected = getattr(result, name).numpy()
        got = np.frombuffer(base64.b64decode(gallery[name]), np.uint8).reshape(expected.shape)
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_allclose(gallery["label_scores"][-1], result.label_scores, atol=1e-5)
    assert np.shape(gallery["label_scores"]) == (len(result.clean), 10, 10)
    assert gallery["request"] == result.request.as_settings()


def test_the_page_asks_nothing_of_other_hosts(site: Path) -> None:
    """Links that a visitor may click are in site.json alone."""
    for name in list_files(site):
        if name.startswith("vendor/") or not name.endswith((".html", ".js", ".css")):
            continue
        text = (site / name).read_text(encoding="utf-8").replace(SVG_NAMESPACE, "")
        assert not ADDRESS.findall(text), name


@pytest.mark.slow
def test_two_exports_are_equal(site: Path, checkpoint_with_turbo: Path) -> None:
    files = collect_files(Demo(checkpoint_with_turbo))
    assert {*files, "manifest.json"} == list_files(site)
    for name, content in files.items():
        assert content == (site / name).read_bytes(), name


def test_a_network_of_ones_own_pictures_has_no_scores(shapes_site: Path) -> None:
    described = read_json(shapes_site / "data/site.json.gz")
    kind = described["kind"]
    assert kind["class_names"] == ["circle", "square", "triangle"]
    assert (kind["image_size"], kind["channels"], kind["null_label"]) == (32, 3, 3)
    assert not kind["is_fashion_mnist"]
    assert described["scorer"] is described["baseline"] is described["class_pictures"] is None
    assert described["mistake"] is None
    assert "turbo" not in described["samplers"]
    assert described["networks"].keys() == {"base"}
    assert [name for name in list_files(shapes_site) if name.startswith("models/")] == [
        "models/unet.onnx.gz"
    ]
    gallery = read_json(shapes_site / "data/gallery.json.gz")
    pixels = len(base64.b64decode(gallery["clean"]))
    assert pixels == len(gallery["alpha_bar"]) * 3 * 32 * 32 * 3


@pytest.mark.slow
def test_a_distilled_network_alone_is_both_networks(checkpoint_with_turbo: Path) -> None:
    files = collect_files(Demo(distilled_folder(checkpoint_with_turbo)))
    described = json.loads(gzip.decompress(files["data/site.json.gz"]))
    assert described["networks"]["base"] == described["networks"]["turbo"]
    assert described["presets"][0]["sampler"] == "turbo"
    assert [name for name in files if name.startswith("models/")] == [
        "models/unet.onnx.gz",
        "models/clip.onnx.gz",
    ]


def test_fashion_mnist_has_baselines_and_pictures(site: Path) -> None:
    described = read_json(site / "data/site.json.gz")
    assert described["kind"]["class_names"] == list(CLASS_NAMES)
    assert np.shape(described["baseline"]["labels"]) == (10, 10)
    assert np.shape(described["scorer"]["quality_features"])[:2] == (10, 3)
    assert all(url.startswith("data:image/png;base64,") for url in described["class_pictures"])


def test_a_damaged_checkpoint_writes_nothing(tiny_checkpoint: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_checkpoint, damaged)
    (weights,) = damaged.rglob("*.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(CheckpointError, match=weights.name):
        list(export_web(WebExport(tmp_path / "site", damaged)))
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


@pytest.mark.parametrize("name", ["thesis.txt", "sub/thesis.txt", "manifest.json"])
def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / "site" / name
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(WebError, match="holds other things"):
        WebExport(tmp_path / "site")
    assert list_files(tmp_path) == {f"site/{name}"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("thesis")
    with pytest.raises(WebError, match="holds other things"):
        WebExport(tmp_path / "site")


def test_an_earlier_site_is_replaced_whole(tmp_path: Path) -> None:
    output = tmp_path / "site"
    write_folder({"index.html": b"old", "js/old.js": b""}, output)
    WebExport(output)
    write_folder({"index.html": b"new"}, output)
    assert list_files(tmp_path) == {"site/index.html", "site/manifest.json"}
    assert (output / "index.html").read_bytes() == b"new"
    (output / "index.html").write_text("changed")
    WebExport(output)
    (output / "mine.txt").write_text("")
    with pytest.raises(WebError, match=r"mine\.txt"):
        WebExport(output)


def test_another_content_is_another_version(tmp_path: Path) -> None:
    versions = set()
    for content in (b"a", b"b", b"a"):
        write_folder({"index.html": content}, tmp_path / "site")
        versions.add(read_json(tmp_path / "site" / "manifest.json")["version"])
    assert len(versions) == 2


@pytest.mark.parametrize("url", ["huggingface.co/spaces/a/b", "javascript:alert(1)", "https://a b"])
def test_a_demo_has_an_address_of_the_web(tmp_path: Path, url: str) -> None:
    with pytest.raises(WebError, match="--demo-url"):
        WebExport(tmp_path / "site", demo_url=url)


def test_the_mistake_is_shown_by_the_rows_of_the_story(bundled_demo: Demo) -> None:
    mistake, story = describe_mistake(bundled_demo), load_story()
    assert mistake
    assert story
    assert mistake["images"].keys() == {"report", "cosine"}
    for row, images in ((BROKEN, "report"), (REPAIRED, "cosine")):
        pixels = story.rows[row][: mistake["num_images"]].tobytes()
        assert base64.b64decode(mistake["images"][images]) == pixels


@pytest.mark.slow
def test_the_bundled_site_is_small(bundled_site: Path) -> None:
    files = {name: (bundled_site / name).read_bytes() for name in list_files(bundled_site)}
    assert sum(map(len, files.values())) <= 25 * MB
    assert first_image_bytes(files) <= 12 * MB
    assert max(map(len, files.values())) <= 10 * MB
