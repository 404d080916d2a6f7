"""What all rules share."""

from moxie.provenance import code_digest

KINDS = study.kinds()
RUNS = {system: study.runs(system) for system in study.config.dynamics.systems}
LEGS = study.transport_legs()
SETTINGS_STUDY = study.config.dynamics.settings_study
SETTINGS_SYSTEM = SETTINGS_STUDY.system if SETTINGS_STUDY else None
SETTING_POINTS = study.setting_points()
PARTS = "results/features/parts"


def code(script, *modules):
    """Digest of a script and of all library modules behind it: a changed one reruns the job."""
    return code_digest(ROOT / "scripts" / f"{script}.py", *modules)


def own_file(name):
    """The file behind a user's own force field or parameter set, as an input; nothing for a name in the registry."""
    return [name] if Path(name).suffix else []


def analysed(systems, file):
    """Paths of one of the files that the analysis writes for every run of some systems."""
    return [f"{PARTS}/liquids/{run}/{file}.parquet" for system in systems for run in RUNS[system]]


def oxide_sweep(wildcards):
    """The table of films, or a message where they are too few temperatures for a curve."""
    study.check_sweep()
    return "results/features/oxide_runs.parquet"
