"""Tests of pushing a training run's checkpoint to a fake Hub."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from fashion_ddpm.__main__ import build_parser
from fashion_ddpm.checkpoints.atomic_folders import list_states
from fashion_ddpm.checkpoints.manifest import is_intact
from fashion_ddpm.core.config import PushConfig, TrainConfig
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.hub import MODEL, Hub, Repository
from fashion_ddpm.publishing.push import CheckpointPusher
from fashion_ddpm.training.loop import train
from fashion_ddpm.training.run_folder import RunFolder
from tests.tools.local_hub import LocalHub, run_python
from tests.tools.small_runs import argv, small_config

COMMIT = "POST /api/models/ada/boots/commit/main"


def make_pusher(config: TrainConfig, name: str = "ada/boots", every: int = 0) -> CheckpointPusher:
    push = PushConfig(push_to_hub=True, hub_model_id=name, push_every=every)
    return CheckpointPusher(push, RunFolder(config.output_dir))


def pushed_images(server: LocalHub) -> int:
    return int(json.loads(server.repos["model", "ada/boots"].files["run.json"])["images_seen"])


@pytest.fixture
def copied_run(finished_run: TrainConfig, tmp_path: Path) -> TrainConfig:
    """A finished run, which the test may change."""
    config = small_config(tmp_path / "run")
    shutil.copytree(finished_run.output_dir, config.output_dir)
    return config


def test_a_run_pushes_the_checkpoint_while_it_trains_and_once_at_its_end(
    server: LocalHub, tmp_path: Path
) -> None:
    config = small_config(tmp_path / "run", images_total=160, save_every=32)
    pusher = make_pusher(config, every=100)
    train(config, publisher=pusher)
    assert pusher.pushed_images == pushed_images(server) == 128
    pusher.finish()
    assert pushed_images(server) == 160
    assert server.write_calls.count(COMMIT) == 2
    files = server.repos["model", "ada/boots"].files
    for path in RunFolder(config.output_dir).checkpoint.rglob("*.safetensors"):
        assert files["unet/" + path.name] == path.read_bytes()
    card = files["README.md"].decode()
    assert 'from_pretrained("ada/boots"' in card
    assert "/spaces/" not in card


def test_a_run_that_has_ended_pushes_again_when_asked(
    server: LocalHub, copied_run: TrainConfig
) -> None:
    for _ in range(2):
        pusher = make_pusher(copied_run)
        train(copied_run, publisher=pusher)
        pusher.finish()
    assert server.write_calls.count(COMMIT) == 2
    assert pushed_images(server) == copied_run.images_total


def test_what_the_last_save_pushed_is_not_pushed_again(server: LocalHub, tmp_path: Path) -> None:
    config = small_config(tmp_path / "run", images_total=32)
    pusher = make_pusher(config, every=32)
    train(config, publisher=pusher)
    pusher.finish()
    assert server.write_calls.count(COMMIT) == 1


@pytest.mark.parametrize(
    ("name", "token", "expected"),
    [
        ("grace/boots", None, "--hub-model-id is 'grace/boots', but the token may write for ada"),
        ("ada/taken", None, "ada/taken exists, and this run did not create it; give another --hub"),
        ("ada/boots", "hf_wrong", "Invalid user token"),
        ("ada/boots", "", "There is no token for the Hub"),
    ],
)
def test_a_push_that_could_not_work_is_refused_before_training(
    server: LocalHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    token: str | None,
    expected: str,
) -> None:
    taken = Repository(MODEL, "ada/taken", flag="--model")
    Hub().create(taken, private=False, overwrite=False)
    if token is not None:
        monkeypatch.setenv("HF_TOKEN", token)
    config = small_config(tmp_path / "run", images_total=32)
    with pytest.raises(PublishingError, match=expected):
        train(config, publisher=make_pusher(config, name))
    assert not list_states(RunFolder(config.output_dir).states)
    assert list(server.repos) == [("model", "ada/taken")]


def test_a_private_repository_is_created_private(server: LocalHub, copied_run: TrainConfig) -> None:
    push = PushConfig(push_to_hub=True, hub_model_id="ada/boots", hub_private_repo=True)
    CheckpointPusher(push, RunFolder(copied_run.output_dir)).prepare()
    assert server.repos["model", "ada/boots"].settings["visibility"] == "private"


def test_a_push_that_fails_at_the_end_loses_nothing_and_names_the_command_for_later(
    server: LocalHub, copied_run: TrainConfig
) -> None:
    pusher = make_pusher(copied_run)
    train(copied_run, publisher=pusher)
    server.faults = ["license is unknown"]
    with pytest.raises(PublishingError, match="is complete, but was not pushed") as caught:
        pusher.finish()
    assert is_intact(RunFolder(copied_run.output_dir).checkpoint)
    server.faults = []
    command = str(caught.value).partition("python -m fashion_ddpm ")[2].removesuffix(".")
    output = Path(copied_run.output_dir).with_name("published")
    arguments = build_parser().parse_args([*shlex.split(command), "--output", str(output)])
    assert arguments.run(arguments) == 0
    assert pushed_images(server) == copied_run.images_total


def test_a_push_that_fails_during_the_run_is_reported_and_tried_at_the_next_save(
    server: LocalHub, copied_run: TrainConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    pusher = make_pusher(copied_run, every=256)
    pusher.prepare()
    server.faults = ["license is unknown"]
    pusher.publish_saved(256)
    assert "not pushed, the run goes on" in capsys.readouterr().err
    server.faults = []
    pusher.publish_saved(384)
    assert server.write_calls.count(COMMIT) == 1


def test_a_run_that_was_stopped_is_not_pushed(
    server: LocalHub, copied_run: TrainConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = RunFolder(copied_run.output_dir)
    settings = folder.read_settings() | {"images_total": 1024}
    folder.config.write_text(json.dumps(settings))
    make_pusher(copied_run).finish()
    assert "not pushed: the run is not at its end" in capsys.readouterr().err
    assert not server.calls


@pytest.mark.slow
def test_of_two_processes_one_pushes(
    server: LocalHub, copied_run: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    flags = ("--push_to_hub", "--hub_model_id", "ada/boots")
    run_python(server, tmp_path / "home", *argv(copied_run, processes=2)[1:], *flags)
    assert server.write_calls == ["POST /api/repos/create"] * 2 + [COMMIT]
