"""The export-web command: a static site from a checkpoint."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.web.errors import WebError
from fashion_ddpm.web.site_folder import check_output, collect_files, write_folder

DEFAULT_OUTPUT = Path("build/web")

LATER_FILES = re.compile(r"models/(?!unet)|vendor/gifenc|.*licence", re.IGNORECASE)
"""Files that the page loads after its first image, or never."""

RUNTIME_FILES = re.compile(r"vendor/onnxruntime/(?:.*\.(jspi)\.)?")
"""Files of the two runtimes: with jspi for WebGPU, the others for WASM; a browser loads one."""


@dataclass(frozen=True)
class WebExport:
    """What to export, and where to.

    Attributes:
        output: the site's folder; it may hold nothing else.
        checkpoint: a folder or USER/NAME@REVISION.
        demo_url: address of the page with a server, which the site links; "" if there is none.

    Raises:
        WebError: the address is none, or the folder holds other things.
    """

    output: Path = DEFAULT_OUTPUT
    checkpoint: str | Path = BUNDLED_CHECKPOINT
    demo_url: str = ""

    def __post_init__(self) -> None:
        if self.demo_url and not re.fullmatch(r"https?://[^\s\"'<>]+", self.demo_url):
            raise WebError(
                f"--demo-url is {self.demo_url!r}; it must begin with https:// or http://."
            )
        check_output(self.output)


def export_web(export: WebExport) -> Iterator[str]:
    """Write the site; yield a message about its size.

    Raises:
        UserError: a check failed; what was there before is unchanged.
    """
    with closing(Demo(export.checkpoint)) as demo:
        files = collect_files(demo, export.demo_url)
    write_folder(files, export.output)
    total, first = sum(map(len, files.values())), first_image_bytes(files)
    yield (
        f"{export.output}: {len(files) + 1} files, {megabytes(total)} MB, of which a browser loads "
        f"at most {megabytes(first)} MB before its first image"
    )


def first_image_bytes(files: Mapping[str, bytes]) -> int:
    """Return how much a browser loads for its first image: by WebGPU or WASM, the larger one."""
    shared, runtimes = 0, {"jspi": 0, None: 0}
    for name, content in files.items():
        if LATER_FILES.match(name):
            continue
        if found := RUNTIME_FILES.match(name):
            runtimes[found[1]] += len(content)
        else:
            shared += len(content)
    return shared + max(runtimes.values())


def megabytes(size: int) -> str:
    """Return bytes in megabytes, as text."""
    return f"{size / 1e6:.1f}"
