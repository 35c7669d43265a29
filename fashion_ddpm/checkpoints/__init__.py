"""Checkpoints as folders on disk: found, fetched, checked, locked, written whole or not at all."""
