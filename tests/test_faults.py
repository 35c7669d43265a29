"""Tests of the app without a network, a home, a writable folder or disk space; of its shutdown."""

import json
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tools import TIMEOUT_S
from tests.tools.asking import CALL, VALID_DATA, Answer, call, events, send
from tests.tools.full_disk import mount_small_disk
from tests.tools.serving import RunningApp, run_app

pytestmark = pytest.mark.slow

LONG_DATA = [*VALID_DATA[:2], 30, *VALID_DATA[3:]]


def start_request(address: str, data: list[object]) -> str:
    """Start a request; return the path of its stream of answers."""
    first = send(address, "POST", CALL, {"data": data})
    return f"{CALL}/{json.loads(first.text)['event_id']}"


def begin_and_read(app: RunningApp, data: list[object]) -> tuple[threading.Thread, list[str]]:
    """Start a request, read its answers in a thread, and return after the first."""
    path, names, first = start_request(app.address, data), list[str](), threading.Event()

    def read() -> None:
        for name, _ in events(app.address, path):
            names.append(name)
            first.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert first.wait(TIMEOUT_S)
    return reader, names


def test_sigterm_finishes_running_requests_refuses_new_ones_and_exits_with_0() -> None:
    with run_app("--drain-seconds", "120") as app:
        reader, names = begin_and_read(app, LONG_DATA)
        app.process.send_signal(signal.SIGTERM)
        while (ready := send(app.address, "GET", "/readyz")).status == 200:
            pass
        assert json.loads(ready.text)["reason"] == "draining"
        refused = call(app.address)
        assert refused.status == 503
        assert "being restarted" in refused.text
        assert send(app.address, "GET", "/healthz").status == 200
        reader.join(TIMEOUT_S)
        assert names[-1] == "complete"
        assert app.process.wait(TIMEOUT_S) == 0


def test_without_room_for_its_log_it_serves_and_a_drain_past_its_limit_is_cut_short(
    tmp_path: Path,
) -> None:
    with mount_small_disk(tmp_path / "disk", "4k") as disk, open(disk / "log", "wb") as log:
        with run_app("--drain-seconds", "0", stderr=log) as app:
            answers: list[Answer] = [call(app.address) for _ in range(40)]
            reader, names = begin_and_read(
                app, [*VALID_DATA[:2], 100, *VALID_DATA[3:5], 16, *VALID_DATA[6:]]
            )
            app.process.send_signal(signal.SIGTERM)
            assert app.process.wait(TIMEOUT_S) == 0
            reader.join(TIMEOUT_S)
            assert "complete" not in names
        assert {answer.kind for answer in answers} == {"images"}
        assert (disk / "log").stat().st_size <= 4096


def test_where_warnings_are_errors_it_logs_none_and_ctrl_c_deletes_temporary_pictures(
    tmp_path: Path,
) -> None:
    strict = {"PYTHONWARNINGS": "error", "TMPDIR": str(tmp_path)}
    with (
        open(tmp_path / "log", "wb") as log,
        run_app("--public", environment=strict, stderr=log) as app,
    ):
        assert call(app.address).kind == "images"
        assert send(app.address, "GET", "/").status == 200
        assert list(tmp_path.rglob("*.png"))
        app.process.send_signal(signal.SIGINT)
        assert app.process.wait(TIMEOUT_S) == 0
    assert list(tmp_path.rglob("*.png")) == []
    log_text = (tmp_path / "log").read_text()
    assert "Warning" not in log_text, log_text
    assert "Traceback" not in log_text, log_text


def test_without_a_folder_that_can_be_written_to_it_serves(tmp_path: Path) -> None:
    file = tmp_path / "file"  # root may write to any folder, but not into a file
    file.write_text("not a folder")
    caches = {name: str(file / "cache") for name in ("HF_HOME", "XDG_CACHE_HOME")}
    with run_app(environment={"TMPDIR": str(file), "HOME": str(file), **caches}) as app:
        assert call(app.address).kind == "images"


def test_without_a_home_and_a_network_it_serves_and_a_scorer_from_the_hub_is_explained() -> None:
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0"}
    environment = nowhere | {"HF_HUB_DOWNLOAD_TIMEOUT": "1"}
    with run_app(environment=environment, wrapper=("env", "--unset=HOME")) as app:
        assert call(app.address).kind == "images"
        answer = call(app.address, [*VALID_DATA[:7], "openai/clip-vit-base-patch32"])
        assert answer.is_explained
        assert "could not be loaded" in answer.text
        assert call(app.address).kind == "images"


def test_a_disk_that_is_full_from_the_start_is_bypassed(tmp_path: Path) -> None:
    with (
        mount_small_disk(tmp_path / "disk", "100k") as disk,
        run_app(environment={"TMPDIR": str(disk)}) as app,
    ):
        assert call(app.address).kind == "images"
        assert list(disk.rglob("*.png")) == []


def test_a_disk_that_fills_up_is_explained_and_when_it_has_room_again_images(
    tmp_path: Path,
) -> None:
    with (
        mount_small_disk(tmp_path / "disk", "4m") as disk,
        run_app(environment={"TMPDIR": str(disk)}) as app,
    ):
        assert call(app.address).kind == "images"
        block = disk / "block"
        with suppress(OSError), open(block, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        full = call(app.address, [*VALID_DATA[:6], 77, "embedded"])
        assert full.is_explained
        assert "no room left for pictures" in full.text
        assert send(app.address, "GET", "/").status == 200
        block.unlink()
        assert call(app.address, [*VALID_DATA[:6], 77, "embedded"]).kind == "images"
