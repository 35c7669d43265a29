"""The training loop: accelerate set-up, optimizer steps, validation, resuming."""

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.tracking import GeneralTracker
from accelerate.utils import GradientAccumulationPlugin, ProjectConfiguration
from torch import Tensor

from fashion_ddpm.checkpoints import atomic_folders
from fashion_ddpm.checkpoints.run_lock import RunLock, acquire_run_lock
from fashion_ddpm.core.config import TrainConfig
from fashion_ddpm.core.distributed import process_lines, this_process
from fashion_ddpm.core.images import to_model
from fashion_ddpm.core.provenance import current_commit, device_name
from fashion_ddpm.core.step_plan import (
    batch_indices,
    learning_rate_at,
    micro_batch_size,
    micro_batch_slices,
    step_seed,
)
from fashion_ddpm.diffusion.loss import Draws
from fashion_ddpm.diffusion.schedule_check import build_run_noise_scheduler
from fashion_ddpm.diffusion.unet import training_layout
from fashion_ddpm.training.cool_down import copy_state
from fashion_ddpm.training.cuda_graph import (
    GraphedUpdate,
    can_graph_steps,
    set_capturable,
    set_learning_rate,
)
from fashion_ddpm.training.initial_state import build_initial_unet, find_state_to_resume, load_state
from fashion_ddpm.training.network import Network, build_optimizer
from fashion_ddpm.training.precision import Precision, choose_precision, write_precision
from fashion_ddpm.training.run_data import check_run_data, load_run_data, record_run_data
from fashion_ddpm.training.run_folder import Progress, RunFolder
from fashion_ddpm.training.run_length import Costs, config_for_minutes, measure_costs
from fashion_ddpm.training.run_log import RunLog
from fashion_ddpm.training.saving import Publisher, RunSaver
from fashion_ddpm.training.stopping import Divergence, StopOnSignal
from fashion_ddpm.training.trackers import select_trackers, send_picture, start_trackers
from fashion_ddpm.training.validation import Validation


def train(
    config: TrainConfig,
    trackers: Sequence[GeneralTracker] = (),
    start_time: float | None = None,
    publisher: Publisher | None = None,
) -> Path:
    """Start or resume the run in config.output_dir; return the folder of its checkpoint.

    Args:
        config: the run.
        trackers: accelerate trackers to use in addition to config.report_to.
        start_time: time.monotonic() when the budget of config.minutes began; default: now.
        publisher: what publishes the run's checkpoints.

    Raises:
        UserError: the publisher cannot publish.
        ConfigError: the settings are invalid or differ from those of the run in the folder, or
            another process is running in it.
        FileError: a file in the folder is damaged.
        DataError: the data cannot be read.
        CheckpointError: the run's folder cannot be written.
        TrainingError: the loss is no longer a finite number.
    """
    start_time = time.monotonic() if start_time is None else start_time
    precision = None

    def measure(seconds: float) -> Costs:
        nonlocal precision
        trial = Run(config, trackers)  # discarded, because measuring changes its weights
        precision = trial.precision
        return trial.measure_costs(seconds)

    this_process()  # joins the process group, on this device
    run = Run(config_for_minutes(config, start_time, measure), trackers, precision)
    with acquire_run_lock(run.folder.lock) as run.run_lock:
        run.resume()
        if publisher:
            publisher.prepare()
            run.publisher = publisher
        with run.stopper:
            run.loop()
        run.accelerator.end_training()
    return run.folder.checkpoint


class Run:
    """A training run, as one of its processes sees it.

    Attributes:
        precision: the mixed precision given to accelerate, and why.
        run_lock: the lock of the run's folder; without a lease unless train() sets it.
        publisher: what publishes the checkpoints, if train() sets it.
    """

    def __init__(
        self,
        config: TrainConfig,
        trackers: Sequence[GeneralTracker] = (),
        precision: Precision | None = None,
    ) -> None:
        self.config, self.folder = config, RunFolder(config.output_dir)
        self.ranks = this_process()
        self.folder.check_same_run(config)
        micro_batch_size(config, self.ranks.num_processes)  # raises if the batch cannot be divided
        noise_scheduler = build_run_noise_scheduler(config)
        tracker_names = select_trackers(config.report_to)
        data, warnings = load_run_data(config)
        self.fingerprint = data.fingerprint
        self.precision = precision or choose_precision(config, data.kind, self.ranks)
        self.accelerator = Accelerator(
            mixed_precision=self.precision.mixed_precision,
            # An environment variable would override gradient_accumulation_steps as an argument.
            gradient_accumulation_plugin=GradientAccumulationPlugin(
                num_steps=config.gradient_accumulation_steps
            ),
            log_with=[*tracker_names, *trackers] or None,
            project_config=ProjectConfiguration(logging_dir=str(self.folder.trackers)),
        )
        self.device = self.accelerator.device
        self.train_data = data.train.to(self.device)
        torch.manual_seed(config.seed)
        unet, earlier_runs = build_initial_unet(config, data.kind)
        memory_format = training_layout(unet, self.device)
        optimizer = build_optimizer(unet, config)
        prepared_unet, self.optimizer = self.accelerator.prepare(unet, optimizer)
        unet = self.accelerator.unwrap_model(prepared_unet, keep_torch_compile=False)
        self.network = Network(
            prepared_unet, unet, noise_scheduler, memory_format, config, data.kind
        )
        self.progress = Progress()
        self.accelerator.register_for_checkpointing(
            self.network.ema, self.progress, self.network.power_averages
        )
        self.run_log = RunLog(
            config, self.progress, self.ranks.is_main_process, self.accelerator.log
        )
        self.validation = Validation(self.network, data.validation, self.ranks, self.run_log)
        facts = self._facts() | earlier_runs
        self.saver = RunSaver(self.accelerator, self.network, self.run_log, facts)
        self.startup_lines = [
            *data.lines(),
            *warnings,
            *process_lines(self.ranks),
            f"mixed precision: {self.precision.mixed_precision} ({self.precision.reason})",
        ]
        self.is_graphed = can_graph_steps(config, self.ranks, self.precision.mixed_precision)
        self.update = GraphedUpdate(self._update) if self.is_graphed else self._update
        set_capturable(self.optimizer, self.is_graphed)
        self.gradient_norm = torch.zeros((), device=self.device)
        self.divergence = Divergence(self.device)
        self.stopper = StopOnSignal()
        self.run_lock = RunLock(None)
        self.publisher: Publisher | None = None
        current_commit()  # cached now: the files may have changed when a checkpoint records it

    def _facts(self) -> dict[str, str | int]:
        """Return what run.json says of the data and the machine."""
        return {
            "dataset": self.config.public_name,
            "training_images": len(self.train_data),
            "data_sha256": self.fingerprint.digest,
            "processes": self.ranks.num_processes,
            "device": device_name(self.device),
            "mixed_precision": self.precision.mixed_precision,
        }

    def resume(self) -> None:
        """Prepare the output folder and the trackers; load the newest intact state, if any."""
        for line in self.startup_lines:
            self.run_log.print(line)
        # This also checks the folder again, which another run may have changed meanwhile.
        state = find_state_to_resume(self.folder, self.config, self.run_log.print)
        check_run_data(self.folder, self.fingerprint)
        self.accelerator.wait_for_everyone()
        if self.ranks.is_main_process:
            with atomic_folders.report_write_errors(self.folder.root):
                record_run_data(self.folder, self.fingerprint)
                self.folder.begin(self.config)
                write_precision(self.folder, self.precision)
            copy_state(self.config)
        self.accelerator.wait_for_everyone()
        start_trackers(self.accelerator, self.config, self.folder.trackers)
        if self.config.from_state and not state:
            state = find_state_to_resume(self.folder, self.config, self.run_log.print)
        if state:
            load_state(self.accelerator, state)
            self.network.ema.to(self.device)
            set_capturable(self.optimizer, self.is_graphed)
            self.run_log.print(f"resumed at {self.run_log.images_seen:,} images from {state}")
            if self.ranks.is_main_process:
                self.saver.publish_if_behind()

    def measure_costs(self, seconds: float) -> Costs:
        """Measure the run's costs in about the given seconds; this changes the weights."""
        return measure_costs(self.network, self._step, seconds, self.ranks)

    def loop(self) -> None:
        """Train until the end of the run or a signal; log, validate, preview and save."""
        config, progress, run_log = self.config, self.progress, self.run_log
        run_log.begin()
        while progress.step < config.total_steps and not self.stopper.should_stop(progress.step):
            progress.loss_sum = progress.loss_sum.to(self.device) + self._step()
            progress.step += 1
            run_log.bar.update(config.batch_size)
            if run_log.is_due(config.log_every):
                self._log()
            if run_log.is_due(config.validate_every):
                self.validation.validate()
            if run_log.is_due(config.preview_every):
                self._preview()
            if config.frechet_every and run_log.is_due(config.frechet_every):
                self._log_frechet_distance()
            if run_log.is_due(config.save_every):
                self._save()
        run_log.bar.close()
        if progress.step < config.total_steps:
            self._save()
            run_log.print(
                f"stopped at {run_log.images_seen:,} images; run the same command to go on"
            )

    def _step(self) -> Tensor:
        """Take one optimizer step; return this process's mean loss, float32 []."""
        config, step = self.config, self.progress.step
        indices = batch_indices(step, config.batch_size, len(self.train_data), config.seed)
        generator = torch.Generator(self.device).manual_seed(step_seed(config.seed, step))
        draws = self.network.draw(config.batch_size, generator)
        torch.manual_seed(step_seed(config.seed, step) + self.ranks.process_index)
        set_learning_rate(self.optimizer, learning_rate_at(step, config))
        total = torch.zeros((), device=self.device)
        for part in micro_batch_slices(config, self.ranks.process_index, self.ranks.num_processes):
            chosen = indices[part].to(self.device)
            clean = to_model(self.train_data.images[chosen])
            labels = self.train_data.labels[chosen]
            loss, self.gradient_norm = self.update(clean, labels, draws[part])
            total += loss / config.gradient_accumulation_steps
        self.network.ema.step(self.network.unet.parameters())
        self.network.power_averages.step(self.network.unet.parameters())
        # In float16 an infinite gradient is normal: GradScaler skips the step and lowers the scale.
        gradient = () if self.precision.mixed_precision == "fp16" else (self.gradient_norm,)
        self.divergence.record(step, total, *gradient)
        return total

    def _update(self, clean: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Learn from a part of a batch, and take the optimizer step if it is the last.

        Returns:
            The mean loss and the norm of the gradient, float32 [] each.
        """
        config, gradient_norm = self.config, self.gradient_norm
        parameters = self.network.prepared_unet.parameters()
        with self.accelerator.accumulate(self.network.prepared_unet):
            progress_fraction = self.progress.step / config.total_steps
            loss = self.network.loss(clean, labels, draws, progress_fraction)
            self.accelerator.backward(loss)
            if self.accelerator.sync_gradients:
                gradient_norm = self.accelerator.clip_grad_norm_(parameters, config.max_grad_norm)
            self.optimizer.step()
            self.optimizer.zero_grad()
        return loss.detach(), gradient_norm

    def _log(self) -> None:
        """Log the mean loss since the last logged one, over all processes."""
        self.divergence.raise_if_diverged(self.config.seed, self.folder)
        count = self.progress.steps_since_loss(self.config.batch_size)
        mean = self.accelerator.reduce(self.progress.loss_sum / count, "mean").item()
        self.run_log.record_loss(mean, float(self.gradient_norm), self.network.ema.cur_decay_value)
        self.progress.loss_sum = torch.zeros(())

    def _preview(self) -> None:
        """Save a preview and send it to the trackers."""
        seen, trackers = self.run_log.images_seen, self.accelerator.trackers
        path = self.folder.preview(seen)
        self.validation.preview(path, lambda picture: send_picture(trackers, picture, seen))

    def _log_frechet_distance(self) -> None:
        """Log the Fréchet distance; save the weights if it is the smallest so far."""
        if self.validation.log_frechet_distance() and self.ranks.is_main_process:
            self.saver.write_checkpoint(self.folder.best_checkpoint)
        self.accelerator.wait_for_everyone()

    def _save(self) -> None:
        """Save the state for resuming, then the EMA weights as the checkpoint."""
        self.divergence.raise_if_diverged(self.config.seed, self.folder)
        self.run_lock.check()
        # Only the main process's progress is saved, so it must be the same on all.
        self.progress.loss_sum = self.accelerator.reduce(self.progress.loss_sum, "mean")
        self.saver.save_state()
        if self.publisher and self.ranks.is_main_process:
            self.publisher.publish_saved(self.run_log.images_seen)
