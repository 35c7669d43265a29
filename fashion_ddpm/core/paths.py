"""Paths of files in this repository: checkpoints and the evaluation."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

BUNDLED_DIR = ROOT / "checkpoints"
BUNDLED_CHECKPOINT = BUNDLED_DIR / "fashion-mnist"
BUNDLED_CLASSIFIER = BUNDLED_DIR / "classifier"
BUNDLED_SCORER = BUNDLED_DIR / "clip-fashion-mnist"

EVALUATION_DIR = ROOT / "docs" / "evaluation"
