"""The subcommands of python -m fashion_ddpm."""
