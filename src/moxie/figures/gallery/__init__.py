"""One module per figure; see `moxie.figures.registry`."""
