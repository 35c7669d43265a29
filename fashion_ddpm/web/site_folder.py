"""The folder of the static site: page, networks, data and runtime, with a manifest; atomic."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashion_ddpm.checkpoints.atomic_folders import (
    create_temporary_folder,
    finalize_folder,
    report_write_errors,
    temporary_path,
)
from fashion_ddpm.checkpoints.manifest import MANIFEST
from fashion_ddpm.core.json_files import write_object
from fashion_ddpm.core.paths import PACKAGE
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.scoring.clip import ClipScorer
from fashion_ddpm.scoring.clip_baseline import load_real_sample
from fashion_ddpm.web.clip_export import check_scores, export_clip
from fashion_ddpm.web.errors import WebError
from fashion_ddpm.web.npm_packages import VENDOR_FILES, WEB, vendor_folder
from fashion_ddpm.web.onnx_export import export_unet
from fashion_ddpm.web.site_data import (
    CLIP_FILE,
    GALLERY_FILE,
    SITE_FILE,
    describe_gallery,
    describe_site,
    network_files,
)

SITE = WEB / "site"
ASSETS = PACKAGE / "ui" / "assets"

SHARED_MODULES = (
    *("svg.js", "schedule_math.js", "trajectory_player.js", "trajectory_sprite.js"),
    *("trajectory_playback.js", "trajectory_sides.js", "trajectory_chart.js"),
)
"""Modules of ui/assets that both pages use."""

TRAJECTORY_CLASS = "trajectory"
"""Class of the element in which the player of a trajectory stands, with its style."""

VERSION_DIGITS = 12


def collect_files(demo: Demo, demo_url: str = "") -> dict[str, bytes]:
    """Return the site's files by their path in its folder, without the manifest.

    Args:
        demo: the checkpoint, its distilled network and its scorer.
        demo_url: address of the page with a server; "" if there is none.

    Raises:
        WebError: a network cannot be exported, or the runtime cannot be installed.
    """
    site = describe_site(demo, demo_url)
    return {
        **_page_files(),
        **_vendor_files(),
        **_network_files(demo, site),
        SITE_FILE: _pack_json(site),
        GALLERY_FILE: _pack_json(describe_gallery(demo)),
    }


def _page_files() -> dict[str, bytes]:
    """Return the page, and what it shares with the page of the app."""
    paths = [path for path in sorted(SITE.rglob("*")) if path.is_file()]
    style = (ASSETS / "trajectory.css").read_text(encoding="utf-8")
    return {
        **{path.relative_to(SITE).as_posix(): path.read_bytes() for path in paths},
        **{f"js/shared/{name}": (ASSETS / name).read_bytes() for name in SHARED_MODULES},
        "css/trajectory.css": f".{TRAJECTORY_CLASS} {{\n{style}}}\n".encode(),
        "data/trajectory.html": (ASSETS / "trajectory.html").read_bytes(),
    }


def _vendor_files() -> dict[str, bytes]:
    """Return the runtime of the networks and the GIF encoder, with their licences."""
    folder = vendor_folder()
    return {
        "vendor/onnxruntime/LICENCE.txt": (WEB / "onnxruntime_licence.txt").read_bytes(),
        **{f"vendor/{name}": (folder / name).read_bytes() for name in VENDOR_FILES.values()},
    }


def _network_files(demo: Demo, site: dict[str, Any]) -> dict[str, bytes]:
    """Return the networks, and the scorer's if there is one."""
    contents = {file: export_unet(pipeline.unet) for file, pipeline in network_files(demo).items()}
    scorer, _ = demo.scorer(demo.scorers[0])
    if isinstance(scorer, ClipScorer):
        contents[CLIP_FILE] = export_clip(scorer)
        check_scores(contents[CLIP_FILE], site["scorer"], scorer, load_real_sample().images)
    return {file: compress(content) for file, content in contents.items()}


def compress(content: bytes) -> bytes:
    """Return the content of a .gz file, the same for the same content."""
    return gzip.compress(content, 9, mtime=0)


def _pack_json(content: Any) -> bytes:
    return compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def write_folder(files: Mapping[str, bytes], output: Path) -> None:
    """Write the site's files and its manifest atomically; an earlier site is replaced.

    Raises:
        CheckpointError: a file cannot be written; an earlier site is unchanged.
    """
    temporary = create_temporary_folder(output)
    try:
        with report_write_errors(output):
            write_files(files, temporary)
        finalize_folder(output, write_site_manifest)
    finally:
        shutil.rmtree(temporary_path(output), ignore_errors=True)


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files by their path in a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_site_manifest(folder: Path) -> None:
    """Write the manifest of a site whose other files are there."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = {path.relative_to(folder).as_posix(): describe_file(path) for path in paths}
    version = hashlib.sha256(json.dumps(files).encode()).hexdigest()[:VERSION_DIGITS]
    write_object(folder / MANIFEST, {"version": version, "files": files})


def describe_file(path: Path) -> dict[str, Any]:
    """Return the manifest's entry of a file.

    Its sha256 is that of the content that the page uses: of a .gz file, what is inside.
    """
    content = path.read_bytes()
    entry: dict[str, Any] = {"bytes": len(content)}
    if path.suffix == ".gz":
        content = gzip.decompress(content)
        entry["unpacked_bytes"] = len(content)
    return entry | {"sha256": hashlib.sha256(content).hexdigest()}


def check_output(output: Path) -> None:
    """Raise WebError if a path holds other things than a site that was written before."""
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return
    strange = _strange_files(output) if output.is_dir() else [output.name]
    if strange:
        raise WebError(
            f"output {output} exists and holds other things than an exported site "
            f"({', '.join(strange[:3])}): name a new folder, or remove it."
        )


def _strange_files(folder: Path) -> list[str]:
    """Return the files that the manifest of a site does not list."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        listed = {*manifest["files"], MANIFEST}
    except (OSError, ValueError, KeyError, TypeError):
        listed = set()
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(set(paths) - listed) or ([] if listed else [folder.name])
