"""What all rules share: where each stage's rules put the files that its target, the tables and the report want."""

import atexit
import contextlib
import io

from snakemake.cli import parse_args

from moxie.code_digest import RememberedDigests

DIGESTS = RememberedDigests(ROOT / ".cache" / "code_digests.json", ROOT / "scripts")
atexit.register(DIGESTS.remember)

PARTS = "results/features/parts"
TARGETS = {name: [] for name in ("structures", "dynamics", "export", "oxidation", "molecules", "features", "learning")}
COMPARED = {}  # tables that the comparison with experiment reads, by name
REPORT = {}  # files that the report reads, by the argument of `write_report`


def code(script, *modules):
    """Digest of a script and of all library modules behind it: a changed one reruns the job."""
    return DIGESTS.of(script, *modules)


def own_file(name):
    """The file behind a user's own force field or parameter set, as an input; nothing for a name in the registry."""
    return [name] if Path(name).suffix else []


def asked_for():
    """The targets that the command line names; Snakemake tells the Snakefile nothing of them."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        _, given = parse_args(sys.argv[1:])
        return [] if given.cleanup_metadata else given.targets  # metadata may be of files of another study
    return []


def add_table(name, compared=False):
    """Plan a table of results/features; say whether its numbers are compared with experiment."""
    TARGETS["features"].append(f"results/features/{name}.parquet")
    if compared:
        COMPARED[name] = f"results/features/{name}.parquet"


def system_of(wildcards):
    """The plan of the system that a job belongs to."""
    return study.dynamics.systems[wildcards.system]


def analysed(systems, file):
    """Paths of one of the files that the analysis writes for every run of some systems."""
    return [f"{PARTS}/liquids/{run}/{file}.parquet" for name in systems for run in study.dynamics.systems[name].runs]


def oxide_sweep(wildcards):
    """The table of films, or a message where they are too few temperatures for a curve."""
    study.oxidation.check_sweep()
    return "results/features/oxide_runs.parquet"


def check_asked():
    """Raise InputError for a target that no rule makes or that the study does not plan."""
    outputs = [str(file) for each in workflow.rules for file in each.output]
    planned = [*(file for files in TARGETS.values() for file in files), *FIGURES]
    check_stages(asked_for(), TARGETS | {"figures": FIGURES}, study.left_out)
    check_targets(asked_for(), outputs, combinations(study, outputs, planned), planned, study.left_out)
