"""The task network_energy: `task.py` holds it, `card.py` what its model card says."""
