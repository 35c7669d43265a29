"""Tests of the examples: their output can be trained on."""

import subprocess
import sys
from pathlib import Path

from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.data.load import load_data_set
from tests.tools import TIMEOUT_S

SCRIPT = Path(__file__).parent.parent / "examples" / "power_grid.py"


def run_example(folder: Path, seed: int) -> dict[str, bytes]:
    """Run the script; return its files."""
    flags = [str(folder), "--images-per-class", "12", "--seed", str(seed)]
    subprocess.run([sys.executable, SCRIPT, *flags], check=True, timeout=TIMEOUT_S)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")}


def test_the_power_grid_is_a_data_set_and_its_seed_says_which(tmp_path: Path) -> None:
    first, again, other = (run_example(tmp_path / str(i), i // 2) for i in range(3))
    assert first == again
    assert not set(first.values()) & set(other.values())
    data = load_data_set(DataSettings(dataset=f"imagefolder:{tmp_path / '0'}"))
    kinds = ("charging", "industry", "office", "residential", "solar")
    assert data.kind == ImageKind(kinds, image_size=28, channels=1)


def test_nights_without_sun_and_weekends_without_work_are_dark(tmp_path: Path) -> None:
    run_example(tmp_path, 0)
    images = load_data_set(DataSettings(dataset=f"imagefolder:{tmp_path}")).train
    solar, office = images.select_class(4).float(), images.select_class(2).float()
    assert solar[:, :, :3].mean() < 10 < solar[:, :, 13:15].mean()
    assert office[:, 5::7].mean() < 0.5 * office[:, 2::7].mean()
