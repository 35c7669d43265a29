"""A training run: its loop, its network, its folder, its log."""
