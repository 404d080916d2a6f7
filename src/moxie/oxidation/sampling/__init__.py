"""Chains over an engine: Metropolis, ladders, replica exchange, what they record, and their checkpoints."""
