"""Tests of the upload, with a fake Hub on this machine."""

import socket
from pathlib import Path

import pytest
from huggingface_hub import get_session

from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.hub import MODEL, SPACE, Hub, Repository
from tests.tools.local_hub import READ_TOKEN, LocalHub

REPOSITORIES = (
    Repository(MODEL, "ada/boots", flag="--model"),
    Repository(SPACE, "garments/boots-demo", flag="--space"),
)


@pytest.fixture
def folders(tmp_path: Path) -> dict[Repository, Path]:
    folders = {}
    for repository in REPOSITORIES:
        folders[repository] = tmp_path / repository.repo_type
        (folders[repository] / "unet").mkdir(parents=True)
        (folders[repository] / "unet" / "weights").write_bytes(repository.repo_type.encode())
    return folders


def check(server: LocalHub, *, private: bool = False, overwrite: bool = False) -> None:
    Hub(server.address).check(REPOSITORIES, private=private, overwrite=overwrite)


@pytest.mark.parametrize("name", ["boots", "a/b/c", "ada/b--c", "ada/", "ada/böot", "a/b.git", ""])
def test_a_name_that_is_none_costs_one_sentence(name: str) -> None:
    with pytest.raises(PublishingError, match=r"--model is '.*'; it must be USER/NAME"):
        Repository(MODEL, name, flag="--model")


def test_both_repositories_are_made_and_filled_and_the_links_are_given_back(
    server: LocalHub, folders: dict[Repository, Path]
) -> None:
    check(server)
    links = Hub(server.address).upload(folders, private=True, overwrite=False)
    assert links == [f"{server.address}/ada/boots", f"{server.address}/spaces/garments/boots-demo"]
    assert server.write_calls == [
        "POST /api/repos/create",
        "POST /api/repos/create",
        "POST /api/models/ada/boots/commit/main",
        "POST /api/spaces/garments/boots-demo/commit/main",
    ]
    space = server.repos["space", "garments/boots-demo"]
    assert space.settings["sdk"] == "gradio"
    assert space.settings["visibility"] == "private"
    assert space.files["unet/weights"] == b"space"
    assert server.repos["model", "ada/boots"].files["unet/weights"] == b"model"


def test_overwriting_leaves_nothing_of_the_old_files(
    server: LocalHub, folders: dict[Repository, Path]
) -> None:
    hub = Hub(server.address)
    hub.upload(folders, private=False, overwrite=False)
    assert "visibility" not in server.repos["model", "ada/boots"].settings, "the account's rule"
    old = folders[REPOSITORIES[0]] / "unet" / "weights"
    old.rename(old.with_name("better"))
    check(server, overwrite=True)
    hub.upload(folders, private=False, overwrite=True)
    assert set(server.repos["model", "ada/boots"].files) == {".gitattributes", "unet/better"}


def test_an_existing_repository_is_left_alone_without_overwrite(
    server: LocalHub, folders: dict[Repository, Path]
) -> None:
    Hub(server.address).upload(dict([*folders.items()][1:]), private=False, overwrite=False)
    before = list(server.write_calls)
    with pytest.raises(PublishingError, match="space garments/boots-demo exists; name another, or"):
        check(server)
    assert server.write_calls == before


def test_private_does_not_pretend_to_hide_what_is_public(
    server: LocalHub, folders: dict[Repository, Path]
) -> None:
    Hub(server.address).upload(folders, private=False, overwrite=False)
    with pytest.raises(PublishingError, match="exists and is public"):
        check(server, private=True, overwrite=True)


def test_a_missing_token_costs_one_sentence(
    server: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(PublishingError, match=r"no token for the Hub; create one .* hf auth login"):
        check(server)
    assert not server.calls


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("hf_wrong", r"Invalid user token.*HF_TOKEN"),
        (READ_TOKEN, r"token may only read; create one with write access"),
    ],
)
def test_a_token_that_may_not_write_costs_one_sentence(
    server: LocalHub, monkeypatch: pytest.MonkeyPatch, token: str, expected: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(PublishingError, match=expected):
        check(server)


def test_somebody_elses_name_costs_one_sentence(server: LocalHub) -> None:
    repository = Repository(MODEL, "grace/boots", flag="--hub-model-id")
    with pytest.raises(
        PublishingError,
        match="--hub-model-id is 'grace/boots', but the token may write for ada, garments only",
    ):
        Hub(server.address).check([repository], private=False, overwrite=False)


def test_no_network_costs_one_sentence(server: LocalHub) -> None:
    nowhere = "http://127.0.0.1:9"
    with pytest.raises(PublishingError, match=f"On {nowhere} .* cannot be reached .*network"):
        Hub(nowhere).check(REPOSITORIES, private=False, overwrite=False)


def test_a_hub_that_never_answers_costs_one_sentence(
    server: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_session(), "timeout", get_session().timeout)  # restored afterwards
    monkeypatch.setattr("fashion_ddpm.publishing.hub.TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hub = Hub(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(PublishingError, match="cannot be reached"):
            hub.check(REPOSITORIES, private=False, overwrite=False)


def test_offline_mode_costs_one_sentence(server: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PublishingError, match="cannot be reached"):
        check(server)
    assert not server.calls


def test_a_refused_space_says_what_is_there_by_then(
    server: LocalHub, folders: dict[Repository, Path]
) -> None:
    server.refusal = (402, "A subscription is needed")
    with pytest.raises(PublishingError, match=r"model ada/boots is there now.*402"):
        Hub(server.address).upload(folders, private=False, overwrite=False)
    assert set(server.repos["model", "ada/boots"].files) == {".gitattributes"}


def test_a_readme_that_the_hub_refuses_costs_one_sentence(
    server: LocalHub, folders: dict[Repository, Path]
) -> None:
    server.faults = ["license is unknown"]
    (folders[REPOSITORIES[1]] / "README.md").write_text("---\nlicense: none\n---\n")
    with pytest.raises(PublishingError, match=r"the space .* stopped .*license is unknown"):
        Hub(server.address).upload(folders, private=False, overwrite=False)
