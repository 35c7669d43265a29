"""Checkpoint folders: locating, downloading, verifying, locking, writing atomically."""
