"""The export-web command: a static site from a checkpoint."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.web.errors import WebError
from fashion_ddpm.web.site_folder import check_output, collect_files, write_folder

DEFAULT_OUTPUT = Path("build/web")

LATER_FILES = re.compile(
    r"models/(?!unet)|vendor/gifenc|vendor/onnxruntime/.*jspi|.*licence", re.IGNORECASE
)
"""Files that a page without WebGPU loads after its first image, or never."""


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
    demo = Demo(export.checkpoint)
    try:
        files = collect_files(demo, export.demo_url)
    finally:
        demo.close()
    write_folder(files, export.output)
    total, first = (megabytes(sizes) for sizes in (_sizes(files), first_image_sizes(files)))
    yield (
        f"{export.output}: {len(files) + 1} files, {total} MB, of which a browser without WebGPU "
        f"loads {first} MB before its first image"
    )


def _sizes(files: Mapping[str, bytes]) -> list[int]:
    return list(map(len, files.values()))


def first_image_sizes(files: Mapping[str, bytes]) -> list[int]:
    """Return the bytes of each file that a browser without WebGPU needs for its first image."""
    return [len(content) for name, content in files.items() if not LATER_FILES.match(name)]


def megabytes(sizes: list[int]) -> str:
    """Return a sum of bytes in megabytes, as text."""
    return f"{sum(sizes) / 1e6:.1f}"
