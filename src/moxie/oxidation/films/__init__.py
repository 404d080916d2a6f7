"""Oxide films on silicon: how much oxygen, how it grows in, and the equilibrium of a finished film."""
