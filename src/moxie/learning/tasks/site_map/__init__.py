"""The task site_map: `task.py` holds it, `card.py` what its model card says."""
