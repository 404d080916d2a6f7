"""The task force_field_error: `task.py` holds it, `card.py` what its model card says."""
