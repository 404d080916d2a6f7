"""The task logp: `task.py` holds it, `card.py` what its model card says."""
