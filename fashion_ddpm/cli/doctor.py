"""The doctor commands, which check the data, noise schedules and scorers."""

import argparse
from pathlib import Path

from fashion_ddpm.core.config import SCHEDULES
from fashion_ddpm.core.settings import ConfigError, default_data_dir


def add_commands(doctor: argparse.ArgumentParser) -> None:
    """Add the doctor commands to their parser."""
    subjects = doctor.add_subparsers(required=True)
    data = subjects.add_parser("data", help="is the data what training believes it is?")
    data.add_argument("--data-dir", default=default_data_dir(), type=Path)
    data.add_argument("--picture", default=Path("images/data.png"), type=Path, help="labelled grid")
    data.set_defaults(run=run_doctor_data, extra="data")
    schedule = subjects.add_parser("schedule", help="can sampling start from noise?")
    schedule.add_argument("names", nargs="*", default=SCHEDULES, metavar="NAME")
    schedule.add_argument("--num-train-timesteps", type=int, default=1000, metavar="T")
    schedule.add_argument("--beta-scale", type=float, default=1.0)
    schedule.add_argument("--steps", type=int, default=20, help="levels that a sample visits")
    schedule.set_defaults(run=run_doctor_schedule, extra="evaluate")
    scorer = subjects.add_parser("scorer", help="does it tell clear clothes from ruined ones?")
    scorer.add_argument("names", nargs="*", default=["embedded"], metavar="NAME|FOLDER")
    scorer.add_argument("--data-dir", default=default_data_dir(), type=Path)
    scorer.set_defaults(run=run_doctor_scorer, extra="evaluate")


def run_doctor_data(arguments: argparse.Namespace) -> int:
    """Check the data; print a line for each check."""
    from fashion_ddpm.cli.data_check import check_data

    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    for line in check_data(arguments.data_dir, arguments.picture):
        print(line)
    return 0


def run_doctor_schedule(arguments: argparse.Namespace) -> int:
    """Print where each schedule starts and ends, and whether sampling can start from noise."""
    from fashion_ddpm.diffusion.schedule_check import check_schedule

    if arguments.steps < 1 or arguments.num_train_timesteps < 2:
        raise ConfigError("--steps must be at least 1 and --num-train-timesteps at least 2.")
    for name in arguments.names:
        check = check_schedule(
            name, arguments.steps, arguments.num_train_timesteps, arguments.beta_scale
        )
        print(
            f"{check.name}: terminal alpha-bar {check.terminal_alpha_bar:.3g}, SNR "
            f"{check.terminal_snr:.3g}; first sigma {check.first_sigma:.4g}, last "
            f"{check.last_sigma:.4g}; {check.verdict}."
        )
    return 0


def run_doctor_scorer(arguments: argparse.Namespace) -> int:
    """Print how scorers classify real test images, clear and degraded."""
    from fashion_ddpm.cli.scorer_check import check_scorer
    from fashion_ddpm.data.fashion_mnist import load_split
    from fashion_ddpm.scoring.clip import load_scorer

    real = load_split(arguments.data_dir, "test")
    for name in arguments.names:
        for line in check_scorer(load_scorer(name, real.kind), real):
            print(line, flush=True)
    return 0
