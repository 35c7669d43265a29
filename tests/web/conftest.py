"""Sites of small networks, for the tests of the static site."""

from pathlib import Path

import pytest

from fashion_ddpm.web.command import WebExport, export_web


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, checkpoint_with_turbo: Path) -> Path:
    """The site of a tiny network and the one distilled from it; tests may not change it."""
    folder = tmp_path_factory.mktemp("web") / "site"
    list(export_web(WebExport(folder, checkpoint_with_turbo)))
    return folder


@pytest.fixture(scope="session")
def shapes_site(tmp_path_factory: pytest.TempPathFactory, shapes_checkpoint: Path) -> Path:
    """The site of a network of one's own pictures: three classes, 32×32, in colour."""
    folder = tmp_path_factory.mktemp("web") / "shapes"
    list(export_web(WebExport(folder, shapes_checkpoint)))
    return folder
