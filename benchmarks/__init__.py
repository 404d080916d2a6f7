"""Measurements of speed, run on purpose (`make bench`), never as timed tests."""
