"""Paths of files beside the code, in a clone and in a wheel: checkpoints and the evaluation."""

from pathlib import Path

PACKAGE = Path(__file__).parent.parent
INSTALLED_ROOT = PACKAGE / "repository"
"""Where a wheel holds what programs need of the repository's root (pyproject.toml)."""

ROOT = INSTALLED_ROOT if INSTALLED_ROOT.exists() else PACKAGE.parent

BUNDLED_DIR = ROOT / "checkpoints"
BUNDLED_CHECKPOINT = BUNDLED_DIR / "fashion-mnist"
BUNDLED_CLASSIFIER = BUNDLED_DIR / "classifier"
BUNDLED_SCORER = BUNDLED_DIR / "clip-fashion-mnist"

EVALUATION_DIR = ROOT / "docs" / "evaluation"

STATIC_SITE_FILE = ROOT / "static_site.txt"
"""The address of the site that draws in the browser; in the folder of a Space that has one."""
