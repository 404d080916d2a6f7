"""Figures of the study, each with the data it shows, and the report."""
