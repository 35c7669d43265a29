"""The generate command: images into files, by one process or many."""
