"""Tests of the command line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fashion_ddpm import __main__
from fashion_ddpm.cli import doctor, train
from fashion_ddpm.core.images import read_settings
from fashion_ddpm.generation import bulk
from fashion_ddpm.training import saving
from tests.tools import MINI_DATA, TIMEOUT_S
from tests.tools.program import run_here

IMPORTED_EARLY = (bulk, doctor, saving)
"""Modules that commands import lazily; the user of locked_folder may be unable to read them."""

ROOT = Path(__file__).parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "fashion_ddpm", *arguments],
        cwd=ROOT,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def test_generate_draws_with_the_bundled_checkpoint_and_scores(tmp_path: Path) -> None:
    output = tmp_path / "out.npz"
    done = run(
        *("generate", "--num-images", "10", "--steps", "4", "--score", "--output", str(output))
    )
    assert done.returncode == 0, done.stderr
    assert "ankle boot" in done.stdout
    with np.load(output) as arrays:
        assert arrays["labels"].tolist() == list(range(10))


def test_the_batch_size_changes_no_file(tmp_path: Path) -> None:
    paths = [tmp_path / f"{size}.npz" for size in (1, 3)]
    for size, path in zip((1, 3), paths, strict=True):
        run_here(
            *("generate", "--class", "bag", "--num-images", "3", "--steps", "3", "--seed", "5"),
            *("--batch-size", str(size), "--output", str(path)),
        )
    first, second = (np.load(path)["images"] for path in paths)
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--class", "hat"), "--class is 'hat'; it must be one of"),
        (("--steps", "0"), "--steps is 0; it must be a whole number from 1 to 1,000"),
        (("--guidance-scale", "nan"), "--guidance-scale is nan"),
        (("--shard-size", "5"), "--shard-size is 5, but --output is"),
        (("--batch-size", "0"), "--batch-size is 0; it must be at least 1"),
        (("--checkpoint", "nowhere/at-all"), "nowhere/at-all could not be loaded"),
    ],
)
def test_an_error_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    done = run_here("generate", "--output", str(tmp_path / "out.npz"), *arguments)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert expected in sentence
    assert not (tmp_path / "out.npz").exists()


def test_turbo_draws_with_the_distilled_network_or_reports_that_there_is_none(
    tiny_checkpoint: Path, checkpoint_with_turbo: Path, tmp_path: Path
) -> None:
    turbo = ("generate", "--sampler", "turbo", "--num-images", "3", "--output")
    drawn = run_here(
        *turbo, str(tmp_path / "drawn.png"), "--checkpoint", str(checkpoint_with_turbo)
    )
    assert drawn.returncode == 0, drawn.stderr
    settings = read_settings(tmp_path / "drawn.png")
    assert (settings["schedule"], settings["num_inference_steps"]) == ("cosine-midpoint", 4)
    for output in ("refused.npz", "refused.png", "refused"):
        refused = run_here(*turbo, str(tmp_path / output), "--checkpoint", str(tiny_checkpoint))
        assert refused.returncode == 1
        assert "sampler turbo needs a distilled network" in refused.stderr
        assert not (tmp_path / output).exists()


@pytest.fixture
def locked_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that this user cannot read; root becomes another user."""
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        if not os.access(__file__, os.R_OK, effective_ids=is_root):
            pytest.skip("root may read everything, and nobody else may read this repository")
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)


@pytest.mark.parametrize(
    "words",
    [
        ["rebuild-average", "PATH/run"],
        ["preview", "PATH/checkpoint"],
        ["generate", "--num-images", "1", "--checkpoint", "PATH/checkpoint"],
        ["generate", "--num-images", "1", "--steps", "1", "--output", "PATH/image.png"],
        ["results", "--evaluation", "PATH"],
        ["doctor", "data", "--picture", "PATH/data.png"],
        ["train-classifier", "--output-dir", "PATH/classifier"],
        ["train-scorer", "--data-dir", str(MINI_DATA), "--output-dir", "PATH/scorer"],
        ["evaluate", "--checkpoint", "PATH/checkpoint"],
        ["train", "--data-dir", str(MINI_DATA), "--output-dir", "PATH/run"],
        ["train", "--from-state", "PATH/run", "--output-dir", "runs/new"],
    ],
)
def test_an_unreadable_folder_is_reported_in_a_sentence_by_every_command(
    locked_folder: Path,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = [word.replace("PATH", str(locked_folder)) for word in words]
    monkeypatch.setattr("sys.argv", ["program", *filled])
    assert __main__.main() == 1
    assert str(locked_folder) in capsys.readouterr().err.splitlines()[-1]


def test_ctrl_c_prints_one_word_and_returns_the_status_that_shells_expect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fashion_ddpm.cli.commands.run_gallery", interrupt)
    monkeypatch.setattr(sys, "argv", ["fashion-ddpm", "gallery"])
    assert __main__.main() == 130
    monkeypatch.setattr(train, "resolve_config", interrupt)
    monkeypatch.setattr(sys, "argv", ["train_accelerate.py"])
    assert __main__.run_program(train.add_train) == 130
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["fashion-ddpm: interrupted", "train_accelerate.py: interrupted"]


def test_a_path_may_begin_with_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    parse = __main__.build_parser().parse_args
    assert parse(["generate", "--output=~/images"]).output == Path("/home/ada/images")
    assert parse(["train", "--output-dir=~/run"]).output_dir == "/home/ada/run"


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("/usr/bin/fashion-ddpm", "fashion-ddpm"),
        ("fashion-ddpm.exe", "fashion-ddpm"),
        ("/usr/lib/fashion_ddpm/__main__.py", "python -m fashion_ddpm"),
    ],
)
@pytest.mark.parametrize("command", ["app", "train", "generate"])
def test_the_usage_names_the_program_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    called: str,
    name: str,
    command: str,
) -> None:
    monkeypatch.setattr(sys, "argv", [called, command, "--no-such-flag"])
    with pytest.raises(SystemExit):
        __main__.main()
    usage = capsys.readouterr().err
    assert usage.startswith(f"usage: {name}")
    assert f"{name}: error: unrecognized arguments: --no-such-flag" in usage


def test_a_module_of_our_own_that_is_missing_is_no_missing_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "fashion_ddpm.demo.gallery", None)
    monkeypatch.setattr(sys, "argv", ["fashion-ddpm", "gallery"])
    with pytest.raises(ModuleNotFoundError):
        __main__.main()


def test_the_help_imports_neither_torch_nor_gradio() -> None:
    program = """
import sys
from fashion_ddpm.__main__ import build_parser
build_parser().format_help()
sys.exit(bool({"torch", "gradio", "numpy"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
