"""Training as a program of its own, for accelerate launch: python -m fashion_ddpm train."""

import sys

from fashion_ddpm.__main__ import run_program
from fashion_ddpm.cli.train import add_train

if __name__ == "__main__":
    sys.exit(run_program(add_train))
