"""The configuration of a study: every key with its type, unit, range, default and meaning, one module per section.

`config.yaml`, the JSON schema and the reference page of the documentation are generated from these classes by
`moxie.config_reference`. `load` turns the mapping that Snakemake hands over into a `StudyConfig`, or raises one
InputError that names each bad key, what was found and what is allowed.
"""

from moxie.config.dynamics import System
from moxie.config.loading import load
from moxie.config.section import Section, label, section_of
from moxie.config.study import StudyConfig, default_study
from moxie.yaml_files import check_file

__all__ = ["Section", "StudyConfig", "System", "check_file", "default_study", "label", "load", "section_of"]
