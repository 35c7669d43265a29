"""Checks before an upload to the Hugging Face Hub, and the upload."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from httpx2 import HTTPError
from huggingface_hub import HfApi, get_session, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from fashion_ddpm.core.errors import reason
from fashion_ddpm.publishing.errors import PublishingError

MODEL, SPACE = "model", "space"
TIMEOUT_SECONDS = 120.0
"""Longest silence of the Hub; the library waits without end, and so would a training run."""

COMMIT_MESSAGE = "Published by fashion-ddpm"
LOGIN_HINT = (
    "create one with write access on https://huggingface.co/settings/tokens, then run hf auth "
    "login or set HF_TOKEN"
)


@dataclass(frozen=True)
class Repository:
    """A repository on the Hub.

    Attributes:
        repo_type: MODEL or SPACE.
        name: USER/NAME.
        flag: the flag that gave the name.
        sdk: what runs a Space: gradio or static.

    Raises:
        PublishingError: the Hub allows no such name.
    """

    repo_type: str
    name: str
    flag: str = field(kw_only=True)
    sdk: str = field(default="gradio", kw_only=True)

    def __post_init__(self) -> None:
        try:
            validate_repo_id(self.name)
            is_valid = "/" in self.name
        except HFValidationError:
            is_valid = False
        if not is_valid:
            raise PublishingError(
                f"{self.flag} is {self.name!r}; it must be USER/NAME: your account, one "
                "slash, and letters, digits, single '-', '_' and '.', 96 characters at most."
            )

    def __str__(self) -> str:
        return f"{self.repo_type} {self.name}"


class Hub:
    """The user's account on the Hub."""

    def __init__(self, endpoint: str | None = None) -> None:
        """Take the endpoint, or HF_ENDPOINT if None, without connecting."""
        self.api = HfApi(endpoint=endpoint)
        get_session().timeout = TIMEOUT_SECONDS

    def check(self, repositories: Sequence[Repository], *, private: bool, overwrite: bool) -> None:
        """Check before the upload whether it could fail half-way.

        Args:
            repositories: where to upload.
            private: whether the repositories must be private.
            overwrite: whether they may already exist.

        Raises:
            PublishingError: no token, no network, no write access, or an existing repository.
        """
        if get_token() is None:
            raise PublishingError(f"There is no token for the Hub; {LOGIN_HINT}.")
        with self._report_errors("the account could not be read"):
            account = self.api.whoami()
        if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
            raise PublishingError(f"The token may only read; {LOGIN_HINT}.")
        owners = [account["name"], *(group["name"] for group in account.get("orgs", []))]
        for repository in repositories:
            owner = repository.name.split("/")[0]
            if owner not in owners:
                raise PublishingError(
                    f"{repository.flag} is {repository.name!r}, but the token may write for "
                    f"{', '.join(owners)} only."
                )
        for repository in repositories:
            self._check_repository(repository, private=private, overwrite=overwrite)

    def exists(self, repository: Repository) -> bool:
        """Return whether a repository exists and may be read.

        Raises:
            PublishingError: the Hub refused or could not be reached.
        """
        with self._report_errors(f"the {repository} could not be looked up"):
            return self.api.repo_exists(repository.name, repo_type=repository.repo_type)

    def _check_repository(self, repository: Repository, *, private: bool, overwrite: bool) -> None:
        with self._report_errors(f"the {repository} could not be looked up"):
            try:
                found = self.api.repo_info(repository.name, repo_type=repository.repo_type)
            except RepositoryNotFoundError:
                return
        if not overwrite:
            raise PublishingError(
                f"The {repository} exists; name another, or replace its files with --overwrite."
            )
        if private and not found.private:
            raise PublishingError(
                f"The {repository} exists and is public; make it private in its settings first."
            )

    def upload(
        self, folders: dict[Repository, Path], *, private: bool, overwrite: bool
    ) -> list[str]:
        """Create the repositories, then make each hold what its folder holds, and no more.

        Args:
            folders: what to upload where; the first repository is created and filled first.
            private: whether new repositories are private.
            overwrite: whether they may exist.

        Returns:
            The links to the repositories' pages.

        Raises:
            PublishingError: the Hub refused or could not be reached; the message says what is done.
        """
        links, done = [], "nothing was uploaded"
        for repository in folders:
            links.append(self.create(repository, private=private, overwrite=overwrite, done=done))
            done = f"nothing was uploaded, but the {repository} is there now"
        retry = "run the same command again" + (" with --overwrite" if not overwrite else "")
        for repository, folder in folders.items():
            with self._report_errors(f"the upload of the {repository} stopped ({retry})"):
                self.api.upload_folder(
                    repo_id=repository.name,
                    repo_type=repository.repo_type,
                    folder_path=folder,
                    commit_message=COMMIT_MESSAGE,
                    delete_patterns="*" if overwrite else None,
                )
        return links

    def create(
        self,
        repository: Repository,
        *,
        private: bool,
        overwrite: bool,
        done: str = "nothing was uploaded",
    ) -> str:
        """Create a repository; return the link to its page.

        Args:
            repository: what to create.
            private: whether it is private if it is new.
            overwrite: whether it may exist.
            done: what was done before, for the message.

        Raises:
            PublishingError: the Hub refused or could not be reached.
        """
        with self._report_errors(f"the {repository} could not be created and {done}"):
            link = self.api.create_repo(
                repository.name,
                repo_type=repository.repo_type,
                private=private or None,
                exist_ok=overwrite,
                space_sdk=repository.sdk if repository.repo_type == SPACE else None,
            )
        return str(link)

    @contextmanager
    def _report_errors(self, failure: str) -> Iterator[None]:
        """Raise the library's errors as PublishingError; `failure` says what failed."""
        try:
            yield
        except (HfHubHTTPError, ValueError) as error:  # ValueError: the README is refused
            raise PublishingError(f"On {self.api.endpoint} {failure}: {reason(error)}") from error
        except (HTTPError, OSError) as error:
            raise PublishingError(
                f"On {self.api.endpoint} {failure}: it cannot be reached ({reason(error)}); "
                "connect to the network and run the same command again."
            ) from error
