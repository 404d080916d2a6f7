"""The task oxide_surrogate: `task.py` holds it, `card.py` what its model card says."""
