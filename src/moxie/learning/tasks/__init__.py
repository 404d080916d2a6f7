"""One module per learning task."""
