"""Where the files of this repository lie that the code reads: checkpoints and the evaluation."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

BUNDLED = ROOT / "checkpoints"
BUNDLED_CHECKPOINT = BUNDLED / "fashion-mnist"
BUNDLED_CLASSIFIER = BUNDLED / "classifier"
BUNDLED_SCORER = BUNDLED / "clip-fashion-mnist"

EVALUATION = ROOT / "docs" / "evaluation"
