"""Begin a study of your own: a folder with a study.yaml that holds only the stages you ask for, every key explained."""

import argparse
import re
import shlex
from pathlib import Path

HELP = "begin a study in a folder of its own"
STAGES = ("dynamics", "oxidation", "quantum_chemistry", "learning")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say which folder, and which stages."""
    parser.add_argument("folder", type=Path, help="where the study and its results will stand")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES, help="what it has (default: all)")


def run(given: argparse.Namespace) -> int:
    """Write study.yaml and say what comes next."""
    from moxie.config import default_study
    from moxie.config_reference import study_yaml
    from moxie.errors import InputError
    from moxie.io import write_text

    path = given.folder / "study.yaml"
    if path.exists():
        raise InputError(f"{path} is there already. Name another folder, or delete it.")
    values = default_study().model_dump(exclude_unset=True)
    title = given.folder.resolve().name or "study"
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    name = name if name[:1].isalpha() else f"study_{name}".strip("_")
    values |= {"extends": "nothing", "study": {"name": name, "title": title}}
    for stage in set(STAGES) - set(given.stages):
        values[stage] = None
    if not {"dynamics", "quantum_chemistry"} & set(given.stages):
        values["molecules"] = {}
    write_text(path, study_yaml(values))
    print(f"Edit {path}, then run it: python -m moxie run {shlex.quote(str(given.folder))}")
    return 0
