"""Sites of small networks, for the tests of the static site."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Page

from fashion_ddpm.checkpoints.manifest import MANIFEST
from fashion_ddpm.core.paths import BUNDLED_CHECKPOINT
from fashion_ddpm.web.command import WebExport, export_web
from tests.tools.static_host import ISOLATION, Host, host_folder
from tests.tools.static_page import open_site


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


@pytest.fixture(scope="session")
def bundled_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the bundled networks."""
    return export_once("bundled", BUNDLED_CHECKPOINT, tmp_path_factory)


@pytest.fixture
def host(site: Path) -> Iterator[Host]:
    """A host of the site whose answers a test may break."""
    with host_folder(site) as host:
        yield host


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The address of the site, served with the headers that threads need."""
    with host_folder(site, ISOLATION) as host:
        yield host.address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The site's page, opened in a browser."""
    with open_site(browser, address) as page:
        yield page
