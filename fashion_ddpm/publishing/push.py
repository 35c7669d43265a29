"""Push a training run's checkpoint to the Hub: during the run, and at its end."""

import sys

from tqdm import tqdm

from fashion_ddpm.checkpoints.atomic_folders import report_write_errors
from fashion_ddpm.checkpoints.locate import read_run
from fashion_ddpm.core.config import PushConfig
from fashion_ddpm.core.distributed import gather_parts, this_process
from fashion_ddpm.core.errors import UserError
from fashion_ddpm.core.json_files import read_object, write_object
from fashion_ddpm.publishing.command import Publication, publish
from fashion_ddpm.publishing.errors import PublishingError
from fashion_ddpm.publishing.hub import MODEL, Hub, Repository
from fashion_ddpm.training.run_folder import RunFolder


class CheckpointPusher:
    """Pushes the checkpoint of a run; a training.saving.Publisher.

    hub.json in the run's folder names the repository that the run created: no other one that
    exists is written to.

    Args:
        config: where and when to push.
        folder: the run's folder.

    Attributes:
        pushed_images: images that the checkpoint pushed last during this process has seen.

    Raises:
        PublishingError: the Hub allows no such name.
    """

    def __init__(self, config: PushConfig, folder: RunFolder) -> None:
        self.config, self.folder = config, folder
        self.repository = Repository(MODEL, config.hub_model_id, flag="--hub-model-id")
        self.pushed_images = 0

    def prepare(self) -> None:
        """Check the account and create the repository; called by all processes.

        Raises:
            PublishingError: the checkpoint could not be pushed.
        """
        error = self._create_repository() if this_process().is_main_process else ""
        # All processes raise the main process's error, so that all end.
        if error := "".join(gather_parts(error)):
            raise PublishingError(error)

    def _create_repository(self) -> str:
        """Create the repository; return an error message, or an empty text."""
        hub, private = Hub(), self.config.hub_private_repo
        try:
            hub.check([self.repository], private=private, overwrite=True)
            is_ours = self._is_created()
            if not is_ours and hub.exists(self.repository):
                return (
                    f"The {self.repository} exists, and this run did not create it; give another "
                    f"--hub-model-id, or replace its files after the run: {self._publish_command}."
                )
            link = hub.create(self.repository, private=private, overwrite=is_ours)
            with report_write_errors(self.folder.hub):
                write_object(self.folder.hub, {"model": self.repository.name})
        except UserError as error:
            return str(error)
        _print(f"the checkpoint will be pushed to {link}")
        return ""

    def _is_created(self) -> bool:
        """Return whether the run has created the repository."""
        if not self.folder.hub.exists():
            return False
        fix = f"delete it, and give another --hub-model-id than {self.repository.name}"
        return read_object(self.folder.hub, fix).get("model") == self.repository.name

    @property
    def _publish_command(self) -> str:
        """The command that pushes the checkpoint later."""
        return (
            f"python -m fashion_ddpm publish --model {self.repository.name} --checkpoint "
            f"{self.folder.checkpoint} --overwrite"
        )

    def publish_saved(self, images_seen: int) -> None:
        """Push the checkpoint that was just saved if push_every says so; report a failure."""
        every = self.config.push_every
        if every and images_seen // every > self.pushed_images // every:
            try:
                self._push()
                self.pushed_images = images_seen
            except UserError as error:
                _print(f"not pushed, the run goes on: {error}")

    def finish(self) -> None:
        """Push the checkpoint if the run is at its end; called by all processes.

        Raises:
            PublishingError: it could not be pushed; the message says how to push it later.
        """
        if not this_process().is_main_process:
            return
        if not self.folder.is_finished():
            _print("not pushed: the run is not at its end")
            return
        if self.pushed_images == read_run(self.folder.checkpoint)["images_seen"]:
            return
        try:
            self._push()
        except UserError as error:
            raise PublishingError(
                f"{self.folder.checkpoint} is complete, but was not pushed: {error} To push it "
                f"later: {self._publish_command}."
            ) from error

    def _push(self) -> None:
        publication = Publication(
            model=self.repository.name,
            checkpoint=self.folder.checkpoint,
            output=self.folder.published,
            private=self.config.hub_private_repo,
            overwrite=True,
        )
        *_, link = publish(publication)
        _print(f"pushed to {link}")


def _print(line: str) -> None:
    """Print a line above the progress bar."""
    tqdm.write(line, file=sys.stderr)
