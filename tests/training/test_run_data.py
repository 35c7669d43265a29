"""Tests of runs whose data set changes, moves, or was not recorded."""

import dataclasses
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fashion_ddpm.checkpoints.atomic_folders import list_states
from fashion_ddpm.checkpoints.verify import make_id2label
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.image_kind import ImageKind
from fashion_ddpm.core.settings import ConfigError
from fashion_ddpm.data.fingerprint import Fingerprint, read_fingerprint
from fashion_ddpm.data.labelled_images import DataError
from fashion_ddpm.diffusion.pipeline import FashionDDPMPipeline
from fashion_ddpm.diffusion.save_checkpoint import save_checkpoint
from fashion_ddpm.diffusion.schedules import build_noise_scheduler
from fashion_ddpm.diffusion.unet import build_unet
from fashion_ddpm.training.cool_down import make_cool_down_config
from fashion_ddpm.training.loop import train
from fashion_ddpm.training.run_data import UNRECORDED_WARNING, check_run_data, load_run_data
from fashion_ddpm.training.run_folder import RunFolder
from tests.tools.shapes import draw_shape, write_shapes
from tests.tools.small_runs import ENVIRONMENT, SCRIPT, make_flags, read_run_json, small_config


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures and a run on them that can be made longer; only for copying."""
    folder = tmp_path_factory.mktemp("begun")
    write_shapes(folder / "shapes", 24)
    train(on_shapes(folder))
    return folder


def on_shapes(folder: Path, **changes: object) -> TrainConfig:
    """Return a run at a constant rate on the shapes in a folder; its length may change."""
    settings = {
        "dataset": f"imagefolder:{folder / 'shapes'}",
        "attention_resolutions": (8,),
        "lr_schedule": "constant",
        "images_total": 64,
        "save_every": 64,
        "validate_every": 64,
        "preview_every": 4096,
        "validation_images": 4,
    }
    return small_config(folder / "run", **settings | changes)


@pytest.fixture
def copy(begun: Path, tmp_path: Path) -> Path:
    shutil.copytree(begun, tmp_path / "copy")
    config = on_shapes(tmp_path / "copy")
    RunFolder(config.output_dir).begin(config)  # its pictures lie in the copy
    return tmp_path / "copy"


def add_a_picture(shapes_dir: Path) -> None:
    draw_shape("circle", 99).save(shapes_dir / "circle" / "0099.png")


def add_a_class(shapes_dir: Path) -> None:
    (shapes_dir / "star").mkdir()
    draw_shape("circle", 99).save(shapes_dir / "star" / "one.png")


def rename_a_class(shapes_dir: Path) -> None:
    (shapes_dir / "circle").rename(shapes_dir / "disc")


@pytest.mark.parametrize("images_total", [64, 128], ids=["at its end", "halfway"])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (add_a_picture, r"added: circle/0099\.png"),
        (add_a_class, "added: class star"),
        (rename_a_class, "class circle is now called disc"),
    ],
)
def test_a_run_does_not_resume_with_changed_data(
    copy: Path, change: Callable[[Path], None], expected: str, images_total: int
) -> None:
    change(copy / "shapes")
    config = on_shapes(copy, images_total=images_total)
    before = {path: path.stat().st_mtime_ns for path in (copy / "run").rglob("*")}
    with pytest.raises(DataError, match=f"{expected}; restore it, or name another --output-dir"):
        train(config)
    assert {path: path.stat().st_mtime_ns for path in (copy / "run").rglob("*")} == before


def test_a_run_resumes_with_the_same_data_in_another_folder(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "shapes").rename(copy / "moved")
    moved = {"dataset": f"imagefolder:{copy / 'moved'}"}
    train(on_shapes(copy, images_total=128, **moved))
    assert f"resumed at 64 images from {copy}" in (printed := capsys.readouterr().err)
    assert UNRECORDED_WARNING not in printed
    config = on_shapes(copy, images_total=128, **moved)
    assert read_run_json(config)["images_seen"] == 128
    recorded = read_fingerprint(RunFolder(config.output_dir).data)
    assert read_run_json(config)["data_sha256"] == recorded.digest
    with pytest.raises(ConfigError, match=r"--dataset is hub:.+moved"):
        train(dataclasses.replace(config, dataset=f"hub:{copy / 'moved'}"))


def test_a_run_without_a_record_resumes_with_one_warning(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    RunFolder(copy / "run").data.unlink()
    train(on_shapes(copy))
    assert capsys.readouterr().err.count(UNRECORDED_WARNING) == 1
    train(on_shapes(copy))
    assert UNRECORDED_WARNING not in capsys.readouterr().err
    add_a_picture(copy / "shapes")
    with pytest.raises(DataError, match="added: circle/0099"):
        train(on_shapes(copy))


def test_without_a_record_moved_pictures_and_other_classes_are_refused(copy: Path) -> None:
    RunFolder(copy / "run").data.unlink()
    shutil.copytree(copy / "shapes", copy / "moved")
    with pytest.raises(DataError, match=r"that was imagefolder:.+shapes, whose pictures were not"):
        train(on_shapes(copy, dataset=f"imagefolder:{copy / 'moved'}"))
    rename_a_class(copy / "shapes")
    with pytest.raises(DataError, match="added: class disc; removed: class circle"):
        train(on_shapes(copy))


def test_a_cool_down_trains_only_on_the_data_of_its_run(copy: Path) -> None:
    cooling = {"from_state": str(copy / "run"), "cool_down_images": 64}
    for source in (copy / "run", list_states(copy / "run" / "states")[0]):
        cooling["from_state"] = str(source)
        config = make_cool_down_config({**cooling, "output_dir": str(copy / "cooled")})
        add_a_picture(copy / "shapes")
        with pytest.raises(DataError, match="added: circle/0099"):
            train(config)
        assert not (copy / "cooled").exists()
        (copy / "shapes" / "circle" / "0099.png").unlink()
    (copy / "shapes").rename(copy / "moved")
    moved = {"dataset": f"imagefolder:{copy / 'moved'}"}
    config = make_cool_down_config({**cooling, **moved, "output_dir": str(copy / "cooled")})
    train(config)
    assert read_run_json(config)["images_seen"] == 128
    assert RunFolder(copy / "cooled").data.read_text() == RunFolder(copy / "run").data.read_text()


@pytest.fixture
def numbered_run(tmp_path: Path) -> TrainConfig:
    """A run on classes that are called 1, 2 and 10."""
    for name in ("1", "2", "10"):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        for seed in range(12):
            picture = draw_shape("circle", int(name) * 100 + seed)
            picture.save(tmp_path / "shapes" / name / f"{seed}.png")
    return on_shapes(tmp_path)


def class_names(config: TrainConfig) -> tuple[str, ...]:
    return load_run_data(config)[0].kind.class_names


def test_a_run_keeps_the_order_of_classes_that_its_checkpoint_has(
    numbered_run: TrainConfig,
) -> None:
    assert class_names(numbered_run) == ("1", "2", "10")
    folder = RunFolder(numbered_run.output_dir)
    folder.begin(numbered_run)
    folder.checkpoint.mkdir()
    published = folder.checkpoint / "run.json"
    published.write_text(json.dumps({"class_names": ["1", "10", "2"]}))
    assert class_names(numbered_run) == ("1", "10", "2")


def test_a_run_has_the_order_of_classes_of_its_initial_checkpoint(
    numbered_run: TrainConfig, tmp_path: Path
) -> None:
    kind = ImageKind(("1", "10", "2"), image_size=32, channels=3)
    unet = build_unet(numbered_run, kind).eval()
    pipeline = FashionDDPMPipeline(
        unet, build_noise_scheduler("cosine"), make_id2label(kind.class_names)
    )
    save_checkpoint(pipeline, tmp_path / "start", numbered_run, {})
    config = dataclasses.replace(numbered_run, initial_checkpoint=str(tmp_path / "start"))
    train(config)
    assert read_run_json(config)["class_names"] == ["1", "10", "2"]
    assert list(json.loads(RunFolder(config.output_dir).data.read_text())) == ["1", "10", "2"]


@pytest.mark.slow
def test_processes_that_read_other_pictures_are_refused(tmp_path: Path) -> None:
    """Two machines with different home folders."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    config = dataclasses.replace(on_shapes(tmp_path), dataset="imagefolder:~/shapes")
    machines = []
    for rank in ("0", "1"):
        write_shapes(tmp_path / rank / "shapes", 12 + int(rank))
        environment = {
            **ENVIRONMENT,
            "HOME": str(tmp_path / rank),
            **{"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"},
            **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo"},
        }
        line = [sys.executable, SCRIPT, *make_flags(config)]
        machines.append(subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True))
    try:
        printed = [machine.communicate(timeout=240)[1] for machine in machines]
    finally:
        for machine in machines:
            machine.kill()
    for machine, text in zip(machines, printed, strict=True):
        assert machine.returncode == 1, text
        assert "Traceback" not in text
        assert "process 1 reads other pictures in --dataset imagefolder:~/shapes" in text
    assert not RunFolder(config.output_dir).root.exists()


def test_a_run_started_meanwhile_with_other_pictures_is_refused(begun: Path) -> None:
    folder = RunFolder(begun / "run")
    fingerprint = read_fingerprint(folder.data)
    check_run_data(folder, fingerprint)
    other = Fingerprint({**fingerprint.pictures, "circle": {"other.png": "0"}})
    with pytest.raises(DataError, match="run on other pictures"):
        check_run_data(folder, other)
