"""The run: loop, moving average, validation, previews, resume; the only door to accelerate."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from diffusers.training_utils import EMAModel
from torch import Tensor
from tqdm import tqdm

from fashion_ddpm import saved_states
from fashion_ddpm.config import TrainConfig
from fashion_ddpm.data import LabelledImages, load_split
from fashion_ddpm.errors import UserError
from fashion_ddpm.figures import save_loss_curves
from fashion_ddpm.images import to_model
from fashion_ddpm.model import training_layout
from fashion_ddpm.objective import Draws, draw, loss_per_image, min_snr_weight
from fashion_ddpm.pipeline import FashionDDPMPipeline
from fashion_ddpm.previews import draw_share, save_shares
from fashion_ddpm.progress import LogRow, Progress
from fashion_ddpm.publishing import current_commit, device_name, publish
from fashion_ddpm.run_folder import RunFolder
from fashion_ddpm.schedule_check import check_training_schedule
from fashion_ddpm.schedules import noise_scheduler
from fashion_ddpm.settings import ConfigError
from fashion_ddpm.step_plan import batch_indices, learning_rate_at, step_seed
from fashion_ddpm.stopping import StopOnSignal
from fashion_ddpm.validation import validation_sums
from fashion_ddpm.warm_start import earlier_runs, initial_unet

STOP_CHECK_STEPS = 10
"""With several processes, steps between two agreements on whether to stop."""


class TrainingError(UserError):
    """A run cannot go on; the message is one sentence with the fix."""


def train(config: TrainConfig) -> Path:
    """Trains, or goes on with, the run in config.output_dir; returns the checkpoint's folder.

    Raises:
        ConfigError: the settings cannot be used, or differ from those of the run in the folder.
        DataError: the data cannot be read.
        TrainingError: the loss is no longer a number.
    """
    run = Run(config)
    run.resume()
    with run.stop:
        run.loop()
    run.accelerator.end_training()
    return run.folder.checkpoint


class Run:
    """One process's part in a training run."""

    def __init__(self, config: TrainConfig) -> None:
        self.config, self.folder = config, RunFolder(config.output_dir)
        self.noise = noise_scheduler(
            config.noise_schedule,
            config.num_train_timesteps,
            config.prediction_type,
            config.beta_scale,
        )
        check_training_schedule(self.noise, config.allow_nonzero_terminal_snr)
        self.accelerator = Accelerator(
            mixed_precision=config.mixed_precision,
            gradient_accumulation_steps=config.gradient_accumulation_steps,
        )
        self.device = self.accelerator.device
        self.part_size = self._part_size()
        self.train_data = load_split(config.data_dir, "train").to(self.device)
        held_out = load_split(config.data_dir, "validation").to(self.device)
        count = config.validation_images
        self.validation_data = LabelledImages(held_out.images[:count], held_out.labels[:count])
        torch.manual_seed(config.seed)
        unet = initial_unet(config)
        self.layout = training_layout(unet, self.device)
        self.unet, self.optimizer = self.accelerator.prepare(unet, self._optimizer(unet))
        self.plain_unet = self.accelerator.unwrap_model(self.unet)
        self.ema = EMAModel(self.plain_unet.parameters(), decay=config.ema_decay)
        self.ema.to(self.device)
        self.progress = Progress()
        self.accelerator.register_for_checkpointing(self.ema, self.progress)
        self.stop = StopOnSignal()
        current_commit()  # remembered for the checkpoint
        self.logged = (0, 0.0)

    def _optimizer(self, unet: torch.nn.Module) -> torch.optim.Optimizer:
        config = self.config
        return torch.optim.AdamW(
            unet.parameters(),
            lr=config.learning_rate,
            betas=(config.adam_beta1, config.adam_beta2),
            weight_decay=config.weight_decay,
        )

    def _part_size(self) -> int:
        processes = self.accelerator.num_processes
        parts = processes * self.config.gradient_accumulation_steps
        if self.config.batch_size % parts:
            raise ConfigError(
                f"--batch-size {self.config.batch_size} cannot be shared by {processes} processes "
                f"× {self.config.gradient_accumulation_steps} accumulation steps; choose a "
                f"multiple of {parts}."
            )
        return self.config.batch_size // parts

    @property
    def images_seen(self) -> int:
        """The images that all processes together have trained on."""
        return self.progress.step * self.config.batch_size

    def say(self, line: str) -> None:
        """Prints a line, once for all processes."""
        if self.accelerator.is_main_process:
            tqdm.write(line, file=sys.stderr)

    def resume(self) -> None:
        """Goes back to the newest whole state of the output folder, if there is one."""
        self.folder.check_same_run(self.config)
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            self.folder.begin(self.config)
        for state in saved_states.states(self.folder.states):
            if saved_states.is_whole(state):
                self.accelerator.load_state(str(state))
                self.say(f"resumed at {self.images_seen:,} images from {state}")
                return
            self.say(f"{state} is damaged; trying the state before it")

    def _asked_to_stop(self) -> bool:
        """Whether to stop: all processes give the same answer at the same step."""
        if self.accelerator.num_processes == 1:
            return self.stop.asked
        if self.progress.step % STOP_CHECK_STEPS:
            return False
        flag = torch.tensor(float(self.stop.asked), device=self.device)
        return bool(self.accelerator.reduce(flag, "sum") > 0)

    def loop(self) -> None:
        """Trains until the end of the run or a signal; logs, validates, shows and saves."""
        config = self.config
        bar = tqdm(
            total=config.images_total,
            initial=self.images_seen,
            unit="image",
            disable=not (self.accelerator.is_main_process and sys.stderr.isatty()),
        )
        progress, self.logged = self.progress, (self.progress.step, time.monotonic())
        while progress.step < config.total_steps and not self._asked_to_stop():
            progress.loss_sum = progress.loss_sum.to(self.device) + self._step()
            progress.step += 1
            bar.update(config.batch_size)
            if self._due(config.log_every):
                self._log()
            if self._due(config.validate_every):
                self._validate()
            if self._due(config.preview_every):
                self._preview()
            if self._due(config.save_every):
                self._save()
        bar.close()
        if progress.step < config.total_steps:
            self._save()
            self.say(f"stopped at {self.images_seen:,} images; run the same command to go on")

    def _due(self, every_images: int) -> bool:
        """Whether the step just done crossed a multiple of so many images, or was the last."""
        before = self.images_seen - self.config.batch_size
        crossed = self.images_seen // every_images > before // every_images
        return crossed or self.progress.step == self.config.total_steps

    def _step(self) -> Tensor:
        """Takes one optimizer step; returns this process's mean loss, float32 []."""
        config, step = self.config, self.progress.step
        indices = batch_indices(step, config.batch_size, len(self.train_data), config.seed)
        clean_shape = torch.Size((config.batch_size, 1, *self.train_data.images.shape[1:]))
        generator = torch.Generator(self.device).manual_seed(step_seed(config.seed, step))
        draws = draw(clean_shape, config.num_train_timesteps, config.label_dropout, generator)
        torch.manual_seed(step_seed(config.seed, step) + self.accelerator.process_index)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(step, config)
        total = torch.zeros((), device=self.device)
        for part in self._parts():
            with self.accelerator.accumulate(self.unet):
                loss = self._loss(indices[part].to(self.device), draws[part])
                self.accelerator.backward(loss)
                if self.accelerator.sync_gradients:
                    self.accelerator.clip_grad_norm_(self.unet.parameters(), config.max_grad_norm)
                self.optimizer.step()
                self.optimizer.zero_grad()
            total += loss.detach() / config.gradient_accumulation_steps
        self.ema.step(self.plain_unet.parameters())
        return total

    def _parts(self) -> Iterator[slice]:
        """Yields this process's slices of the batch, one for each accumulation step."""
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        for turn in range(self.config.gradient_accumulation_steps):
            start = (turn * processes + rank) * self.part_size
            yield slice(start, start + self.part_size)

    def _loss(self, indices: Tensor, draws: Draws) -> Tensor:
        clean = to_model(self.train_data.images[indices])
        labels = self.train_data.labels[indices]
        losses = loss_per_image(self._predict, self.noise, clean, labels, draws)
        if self.config.loss_weighting == "min-snr":
            gamma = self.config.min_snr_gamma
            losses = losses * min_snr_weight(self.noise, draws.timesteps, gamma)
        return losses.mean()

    def _predict(self, noisy: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        noisy = noisy.contiguous(memory_format=self.layout)
        output: Tensor = self.unet(noisy, timesteps, labels).sample
        return output

    def _record(self, row: LogRow, line: str) -> None:
        """Adds a row to the log and prints a line."""
        self.progress.log.append({"images_seen": self.images_seen, **row})
        self.say(f"{self.images_seen:>12,} images  {line}")

    def _log(self) -> None:
        """Logs the mean loss since the last line, over all processes; refuses NaN."""
        step, (last_step, last_time) = self.progress.step, self.logged
        count = self.progress.steps_since_loss(self.config.batch_size)
        mean = self.accelerator.reduce(self.progress.loss_sum / count, "mean").item()
        if not math.isfinite(mean):
            raise TrainingError(
                f"the loss is {mean} at step {step}: resume from {self.folder.states} with "
                "another --output-dir, a lower --learning-rate or --mixed-precision no."
            )
        self.logged = (step, time.monotonic())
        speed = (step - last_step) * self.config.batch_size / (self.logged[1] - last_time)
        left = max(0, round((self.config.images_total - self.images_seen) / speed))
        rate = learning_rate_at(step - 1, self.config)
        self._record(
            {"loss": mean, "learning_rate": rate, "images_per_second": round(speed, 1)},
            f"loss {mean:.4f}  {speed:,.0f} images/s  {timedelta(seconds=left)} left",
        )
        self.progress.loss_sum = torch.zeros(())

    @contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """Puts the moving average into the network for a while."""
        parameters = list(self.plain_unet.parameters())
        self.ema.store(parameters)
        self.ema.copy_to(parameters)
        self.plain_unet.eval()
        try:
            yield
        finally:
            self.ema.restore(parameters)
            self.plain_unet.train()

    def _validate(self) -> None:
        """Logs the averaged weights' validation loss; every process does its share."""
        rank, processes = self.accelerator.process_index, self.accelerator.num_processes
        with self._averaged_weights():
            sums = validation_sums(self._predict, self.noise, self.validation_data, rank, processes)
        sums = self.accelerator.reduce(sums.float().to(self.device), "sum").cpu()
        by_level = (sums[0] / sums[1].clamp(min=1)).tolist()
        mean = (sums[0].sum() / sums[1].sum()).item()
        row = {"validation_loss": mean, "validation_loss_by_level": by_level}
        self._record(row, f"validation loss {mean:.4f}")

    def _pipeline(self) -> FashionDDPMPipeline:
        return FashionDDPMPipeline(self.plain_unet, self.noise)

    def _preview(self) -> None:
        """Saves a grid, a class a column, from fixed seeds; every process draws its share."""
        rank, processes = self.accelerator.process_index, self.accelerator.num_processes
        with self._averaged_weights():
            shares = gather_object(draw_share(self._pipeline(), rank, processes))
        if self.accelerator.is_main_process:
            save_shares(shares, self.folder.preview(self.images_seen))

    def _save(self) -> None:
        """Saves the state for resuming, then publishes the averaged weights."""
        final = self.folder.state(self.images_seen)
        main = self.accelerator.is_main_process
        # Only the main process's progress is saved, so it must be the same on all.
        self.progress.loss_sum = self.accelerator.reduce(self.progress.loss_sum, "mean")
        if main:
            saved_states.temporary_folder(final)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(saved_states.temporary_path(final)))
        self.accelerator.wait_for_everyone()
        if main:
            saved_states.seal(final)
            saved_states.prune(self.folder.states, self.config.keep_states)
            self._publish()
        self.accelerator.wait_for_everyone()

    def _publish(self) -> None:
        log = self.progress.log
        facts = {
            "images_seen": self.images_seen,
            "processes": self.accelerator.num_processes,
            "device": device_name(self.device),
            **earlier_runs(self.config),
            "log": log,
        }
        with self._averaged_weights():
            publish(self._pipeline(), self.folder.checkpoint, self.config, facts)
        save_loss_curves(log, self.folder.curves)
