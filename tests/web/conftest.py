"""Sites of small networks, for the tests of the static site."""

from pathlib import Path

import pytest
from filelock import FileLock

from fashion_ddpm.checkpoints.manifest import MANIFEST
from fashion_ddpm.web.command import WebExport, export_web


def export_once(name: str, checkpoint: Path, factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an exported site; of test processes side by side, one exports it."""
    folder = factory.getbasetemp()
    if folder.name.startswith("popen-"):  # of one process; the folder above is common to all
        folder = folder.parent
    site = folder / "sites" / name
    site.parent.mkdir(exist_ok=True)
    with FileLock(f"{site}.lock"):
        if not (site / MANIFEST).exists():
            list(export_web(WebExport(site, checkpoint)))
    return site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, checkpoint_with_turbo: Path) -> Path:
    """The site of a tiny network and the one distilled from it; tests may not change it."""
    return export_once("site", checkpoint_with_turbo, tmp_path_factory)


@pytest.fixture(scope="session")
def shapes_site(tmp_path_factory: pytest.TempPathFactory, shapes_checkpoint: Path) -> Path:
    """The site of a network of one's own pictures: three classes, 32×32, in colour."""
    return export_once("shapes", shapes_checkpoint, tmp_path_factory)
