"""Tests of starting a Space's app: apps that answer, fail, hang, or print their environment."""

from pathlib import Path

import pytest

from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.space_trial import try_space

pytestmark = pytest.mark.slow

SERVE = """
import http.server, os
address = ("127.0.0.1", int(os.environ["GRADIO_SERVER_PORT"]))
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def test_an_app_that_answers_is_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text("")
    (tmp_path / "app.py").write_text("import words\n" + SERVE)
    try_space(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"app.py", "words.py"}


def test_an_app_that_fails_is_reported_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import nothing_of_the_kind")
    with pytest.raises(
        PublishingError, match=r"last words were: .*No module named 'nothing_of_the_kind"
    ):
        try_space(tmp_path)


def test_an_app_that_never_answers_is_ended(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import threading; threading.Event().wait()")
    with pytest.raises(PublishingError, match="no page within 1 seconds"):
        try_space(tmp_path, timeout=1)


def test_the_app_gets_nothing_of_this_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONPATH", "HF_TOKEN", "HF_HOME", "FASHION_DDPM_DATA"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "app.py").write_text("import os; print(sorted(os.environ)); raise SystemExit")
    with pytest.raises(PublishingError) as failure:
        try_space(tmp_path)
    assert "HF_HUB_OFFLINE" in str(failure.value)
    for name in ("PYTHONPATH", "HF_TOKEN", "HF_HOME", "FASHION_DDPM_DATA"):
        assert name not in str(failure.value)
