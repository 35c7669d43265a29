"""Basics of all other packages: errors, settings, requests, image kinds, files, processes."""
