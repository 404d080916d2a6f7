"""Models learnt from the tables: tasks, splits, baselines, intervals and model files."""
