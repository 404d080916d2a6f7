"""A study: the validated configuration, with one module for each stage: its runs, paths, settings, checks and parts."""

from moxie.study.whole import Study

__all__ = ["Study"]
