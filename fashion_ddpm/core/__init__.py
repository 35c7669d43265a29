"""What every other package stands on: errors, settings, requests, image kinds, files, processes."""
