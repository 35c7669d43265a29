"""The settings of a training, each with its unit and its bounds; presets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from fashion_ddpm.core.data_settings import DataSettings
from fashion_ddpm.core.settings import (
    DATA_DIR_VARIABLE,
    ConfigError,
    check_fields,
    default_data_dir,
    flag_name,
    setting,
)

NOISE_SCHEDULES = ("cosine", "linear", "scaled-linear", "sigmoid")
"""Noise schedules for training."""

SCHEDULES = (*NOISE_SCHEDULES, "karras", "exponential", "cosine-midpoint", "report")
"""Noise schedules for sampling (report: linear over T = 100, as in the report; cosine-midpoint: for
distilled networks)."""

SAMPLERS = ("dpm++2m", "dpm++2m-sde", "ddim", "ddpm", "euler")
"""Solvers; the first is the default."""

TURBO = "turbo"
"""The sampler of distilled networks; no other network can use it."""

TURBO_SCHEDULE, TURBO_STEPS = "cosine-midpoint", 4
"""Default noise schedule and number of steps of the turbo sampler."""

BACKENDS = ("auto", "eager", "openvino")
"""What runs the network on a CPU; auto: OpenVINO where it is installed and faster."""

TRACKERS = ("auto", "none", "tensorboard", "wandb", "trackio")
"""Values of --report-to."""


class TrainingLength:
    """Base of configs whose length is given in images."""

    images_total: int
    batch_size: int

    @property
    def total_steps(self) -> int:
        """Optimizer steps in the whole run."""
        return math.ceil(self.images_total / self.batch_size)


@dataclass(frozen=True)
class TrainConfig(TrainingLength, DataSettings):
    """All settings of a training run."""

    output_dir: str = setting("runs/latest", "folder for states, previews and the checkpoint")
    from_state: str = setting(
        "",
        "saved state (or run: its newest) at a constant rate to cool down from; keeps its settings",
    )
    initial_checkpoint: str = setting(
        "", "folder or Hub repository to start from; none: random weights"
    )
    teacher: str = setting("", "folder or Hub repository of the network to distil")

    block_out_channels: tuple[int, ...] = setting(
        (32, 64, 128), "channels at the full side, at half of it, and so on", low=8
    )
    layers_per_block: int = setting(1, "residual layers at each resolution", low=1, high=8)
    attention_resolutions: tuple[int, ...] = setting(
        (7,), "image sides with self-attention, pixels", low=1
    )
    dropout: float = setting(0.0, "dropout inside residual layers, probability", low=0, high=0.9)
    scale_shift: bool = setting(False, "time embedding scales as well as shifts")
    zero_init: bool = setting(False, "the last layer of each residual block starts at zero")

    noise_schedule: str = setting("cosine", "noise schedule to train on", choices=NOISE_SCHEDULES)
    num_train_timesteps: int = setting(1000, "T, number of noise levels", low=2, high=10_000)
    beta_scale: float = setting(
        1.0, "factor on the betas of linear kinds (1000/T keeps the noise of T = 1000)", low=0.001
    )
    prediction_type: str = setting(
        "v_prediction", "what the network predicts", choices=("v_prediction", "epsilon", "sample")
    )
    allow_nonzero_terminal_snr: bool = setting(
        False, "train even if the last level still shows the image (the report's mistake)"
    )
    loss_weighting: str = setting(
        "uniform", "weight of the noise levels in the loss", choices=("uniform", "min-snr")
    )
    min_snr_gamma: float = setting(5.0, "gamma of the min-snr weight", low=0.01)
    timestep_distribution: str = setting(
        "uniform", "how training draws timesteps", choices=("uniform", "laplace")
    )
    laplace_scale: float = setting(
        1.0, "scale of the Laplace distribution of log-SNR, natural logarithm", low=0.05, high=20
    )
    label_dropout: float = setting(
        0.1, "probability that a label becomes the null label", low=0, high=1
    )
    gap_halvings: float = setting(
        6.0, "how often a distillation halves the gap between two noise levels", low=0, high=12
    )

    images_total: int = setting(440_000, "length of the run, images seen", low=1)
    minutes: float = setting(
        0.0, "length of the run, minutes; sets --images-total by the measured speed; 0: no", low=0
    )
    batch_size: int = setting(128, "images a step over all processes and accumulations", low=1)
    gradient_accumulation_steps: int = setting(1, "parts in which a batch is computed", low=1)
    optimizer: str = setting(
        "adamw", "optimizer; muon: of matrices, AdamW of the rest", choices=("adamw", "muon")
    )
    learning_rate: float = setting(1e-3, "peak of the learning rate", low=0)
    warmup_steps: int = setting(200, "steps in which the learning rate rises", low=0)
    lr_schedule: str = setting(
        "cosine",
        "learning rate after the warm-up: down to 0 over the whole run, or constant",
        choices=("cosine", "constant"),
    )
    cool_down_images: int = setting(0, "last images, over which a constant rate falls to 0", low=0)
    adam_beta1: float = setting(0.9, "AdamW's decay of the mean", low=0, high=0.9999)
    adam_beta2: float = setting(0.99, "AdamW's decay of the square", low=0, high=0.99999)
    weight_decay: float = setting(0.0, "AdamW's weight decay", low=0)
    max_grad_norm: float = setting(1.0, "gradients are scaled down to this L2 norm", low=0)
    ema_decay: float = setting(0.999, "ceiling of the moving average's decay", low=0, high=1)
    mixed_precision: str = setting(
        "auto", "autocast; auto: bf16 or no, the faster", choices=("auto", "no", "bf16", "fp16")
    )
    seed: int = setting(0, "seed of weights, data order and noise", low=0, high=2**32 - 1)

    log_every: int = setting(12_800, "images between two lines of the log", low=1)
    validate_every: int = setting(55_000, "images between two validations", low=1)
    validation_images: int = setting(2_000, "images of a validation", low=1)
    preview_every: int = setting(55_000, "images between two previews of each class", low=1)
    frechet_every: int = setting(220_000, "images between two Fréchet distances; 0: none", low=0)
    frechet_images: int = setting(2_000, "samples of a Fréchet distance", low=2)
    save_every: int = setting(55_000, "images between two saved states", low=1)
    keep_states: int = setting(2, "saved states that are kept", low=1)
    report_to: str = setting("auto", "tracker; auto: TensorBoard if installed", choices=TRACKERS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size % self.gradient_accumulation_steps:
            raise ConfigError(
                f"--batch-size {self.batch_size} cannot be split into "
                f"--gradient-accumulation-steps {self.gradient_accumulation_steps} equal parts; "
                "choose a multiple."
            )
        if self.cool_down_images and self.lr_schedule != "constant":
            raise ConfigError(
                f"--cool-down-images is {self.cool_down_images}, but --lr-schedule "
                f"{self.lr_schedule} falls over the whole run; add --lr-schedule constant."
            )
        if self.teacher and self.lr_schedule != "cosine":
            raise ConfigError(
                f"--lr-schedule is {self.lr_schedule}; a distillation needs a length of its own: "
                "leave it out."
            )
        if self.cool_down_images > self.images_total:
            raise ConfigError(
                f"--cool-down-images is {self.cool_down_images}, more than --images-total "
                f"{self.images_total}; give fewer."
            )
        if self.teacher and (self.initial_checkpoint or self.loss_weighting != "uniform"):
            raise ConfigError(
                f"--teacher {self.teacher} says where the distilled network starts and how "
                "levels are weighted; leave --initial-checkpoint and --loss-weighting out."
            )


@dataclass(frozen=True)
class PushConfig:
    """Where a training run's checkpoint is pushed; a resumed run may push elsewhere."""

    push_to_hub: bool = setting(False, "push the checkpoint with its card at the end of the run")
    hub_model_id: str = setting("", "USER/NAME of the repository on the Hub")
    hub_private_repo: bool = setting(False, "make that repository a private one")
    push_every: int = setting(0, "push at the first save after so many images, too; 0: no", low=0)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.push_to_hub and not self.hub_model_id:
            raise ConfigError(
                "--push-to-hub needs a name on the Hub; add --hub-model-id USER/NAME."
            )
        given = [flag_name(field.name) for field in fields(self) if getattr(self, field.name)]
        if given and not self.push_to_hub:
            raise ConfigError(f"{given[0]} says how to push, but nothing is; add --push-to-hub.")


@dataclass(frozen=True)
class ScorerConfig(TrainingLength):
    """All settings of training the embedded scorer, a small CLIP."""

    data_dir: str = setting("data", f"folder that holds FashionMNIST/raw (${DATA_DIR_VARIABLE})")
    output_dir: str = setting("runs/scorer", "folder for the scorer; replaced when done")

    vision_width: int = setting(128, "channels of the image side", low=8)
    vision_layers: int = setting(4, "transformer layers of the image side", low=1)
    text_width: int = setting(64, "channels of the text side", low=8)
    text_layers: int = setting(2, "transformer layers of the text side", low=1)
    projection_dim: int = setting(64, "dimensions that both sides share", low=2)
    patch_size: int = setting(4, "side of a patch, pixels", low=1, high=28)

    images_total: int = setting(1_000_000, "length of the run, images seen", low=1)
    batch_size: int = setting(128, "images a step", low=4)
    captions_per_step: int = setting(128, "captions an image is compared with", low=10)
    learning_rate: float = setting(1e-3, "peak of AdamW's learning rate", low=0)
    warmup_steps: int = setting(100, "steps in which the learning rate rises", low=0)
    weight_decay: float = setting(0.05, "AdamW's weight decay", low=0)
    half_denoised_seeds: int = setting(1_000, "seeds for half-denoised images", low=1)
    seed: int = setting(0, "seed of weights, data order and degradations", low=0, high=2**32 - 1)

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class ClassifierConfig(TrainingLength, DataSettings):
    """All settings of training the classifier of real images."""

    output_dir: str = setting("runs/classifier", "folder for the classifier; replaced when done")

    images_total: int = setting(1_100_000, "length of the run, images seen", low=1)
    batch_size: int = setting(128, "images a step", low=2)
    learning_rate: float = setting(3e-3, "peak of AdamW's learning rate", low=0)
    warmup_steps: int = setting(400, "steps in which the learning rate rises", low=0)
    weight_decay: float = setting(0.05, "AdamW's weight decay", low=0)
    label_smoothing: float = setting(0.05, "probability spread over all classes", low=0, high=0.9)
    erased: float = setting(0.5, "probability that a patch of an image is blackened", low=0, high=1)
    mixed_precision: str = setting(
        "auto",
        "autocast; auto: bf16 where AVX512-bf16 makes it fast",
        choices=("auto", "no", "bf16"),
    )
    seed: int = setting(0, "seed of weights, data order and shifts", low=0, high=2**32 - 1)


AnyConfig = TrainConfig | ScorerConfig | ClassifierConfig

RECIPE: dict[str, Any] = {"optimizer": "muon", "learning_rate": 5e-3}
"""The best optimizer and learning rate of the experiments (docs/experiments.md)."""

PRESETS: dict[str, dict[str, Any]] = {
    "smoke": {
        "block_out_channels": (8, 16, 16),
        "images_total": 256,
        "batch_size": 32,
        "warmup_steps": 2,
        "mixed_precision": "no",
        "log_every": 32,
        "validate_every": 128,
        "validation_images": 32,
        "preview_every": 128,
        "frechet_every": 0,
        "save_every": 64,
    },
    "cpu": RECIPE,
    "distill": {
        "teacher": "checkpoints/fashion-mnist",
        "label_dropout": 0.0,
        "images_total": 200_000,
        "learning_rate": 3e-4,
        "warmup_steps": 100,
        "preview_every": 25_600,
        "save_every": 12_800,
    },
    "gpu": {
        **RECIPE,
        "layers_per_block": 2,
        "dropout": 0.05,
        "images_total": 33_000_000,
        "batch_size": 512,
        "ema_decay": 0.9995,
        "log_every": 102_400,
        "validate_every": 2_200_000,
        "validation_images": 5_000,
        "preview_every": 3_300_000,
        "frechet_every": 6_600_000,
        "save_every": 3_300_000,
    },
}
"""smoke: a test of seconds. cpu: 8 epochs. distill: the turbo network. gpu: 600 epochs, deeper."""


def make_train_config(preset: str, flags: Mapping[str, Any]) -> TrainConfig:
    """Return the defaults, overridden by the preset, overridden by the flags.

    Raises:
        ConfigError: a value is out of bounds, or two settings contradict each other.
    """
    overrides = {name: tuple(v) if isinstance(v, list) else v for name, v in flags.items()}
    return TrainConfig(**{"data_dir": default_data_dir(), **PRESETS[preset], **overrides})
