"""The tests: test_<module>.py for each module, and the doors."""
