"""moxie: structures -> dynamics, oxidation, molecules -> features -> learning -> figures and report."""

import os
import sys
from pathlib import Path

from snakemake.logging import logger
from snakemake.utils import min_version

ROOT = Path(workflow.basedir).resolve()
sys.path.insert(0, str(ROOT / "src"))
os.environ.update(PYTHONPATH=str(ROOT / "src"))  # scripts run the library of this checkout, in any environment

from moxie.config import StudyConfig, check_file, default_study
from moxie.errors import InputError
from moxie.finished import forget_below
from moxie.study import Study
from moxie.supervision import Run, check_still_wanted, replaced_report
from moxie.targets import check_configfiles, check_stages, check_targets, combinations

min_version("9.19")
if len(sys.executable.split()) > 1:
    sys.exit(
        f"The path of Python, {sys.executable}, holds a blank, which Snakemake does not cope with. Move the folder."
    )


include: "workflow/rules/start.smk"


if config.get("extends") != "nothing":
    if workflow.is_main_process:
        or_end(check_default_study)

    configfile: f"{ROOT}/config.yaml"


if workflow.is_main_process:
    this_run = Run()
else:
    or_end(check_still_wanted)
study = or_end(load_study)

os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")})
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".cache" / "numba"))


wildcard_constraints:
    system="[a-z][a-z0-9_]*",
    molecule="[a-z][a-z0-9_]*",
    temperature_K="[0-9.e+]+",
    pressure_bar="[0-9.e+-]+",
    replica="[0-9]+",
    leg="[0-9]+",
    orientation="100|110|111",
    x="[0-9.e-]+",
    kT_eV="[0-9.e-]+",


include: "workflow/rules/common.smk"


for stage in study.stages:

    include: f"workflow/rules/{stage.name}.smk"


if TARGETS["structures"]:

    include: "workflow/rules/structures/molecules.smk"


if COMPARED:

    include: "workflow/rules/features/validation.smk"


include: "workflow/rules/figures.smk"


onstart:
    if workflow.is_main_process:
        or_end(this_run.begin)


onsuccess:
    if workflow.is_main_process:
        forget_below("results/checkpoints")


rule all:
    default_target: True
    input:
        "results/report.html",
        "results/manifest.json",


rule structures:
    input:
        TARGETS["structures"],


rule dynamics:
    input:
        TARGETS["dynamics"],


rule export:
    input:
        TARGETS["export"],


rule oxidation:
    input:
        TARGETS["oxidation"],


rule molecules:
    input:
        TARGETS["molecules"],


rule features:
    input:
        TARGETS["features"],


rule learning:
    input:
        TARGETS["learning"],


rule figures:
    input:
        FIGURES,


rule report:
    input:
        "results/report.html",


if workflow.is_main_process and asked_for():
    or_end(check_asked)


localrules:
    all,
    structures,
    dynamics,
    export,
    oxidation,
    molecules,
    features,
    learning,
    figures,
    report,
