"""Placing n O on the Si-Si bonds of a cell so that the relaxed energy is lowest: sites, evaluator, searches."""
