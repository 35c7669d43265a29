"""The demo as a program of its own, which a Space runs: python -m fashion_ddpm app."""

import sys

from fashion_ddpm.__main__ import add_app, run_program

if __name__ == "__main__":
    sys.exit(run_program(add_app))
