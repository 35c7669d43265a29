"""What the subcommands of python -m fashion_ddpm do."""
