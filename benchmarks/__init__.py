"""Measurements that take longer than tests may: each writes what it found into docs/."""
