"""What all rules share: where each stage's rules put the files that its target, the tables and the report want."""

import atexit

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
    """The result files that the command line names; Snakemake tells the Snakefile nothing of its targets."""
    forgotten = {"--cleanup-metadata", "--cm"} & set(sys.argv)  # of files that need not be of this study
    return [] if forgotten else [each for each in sys.argv[1:] if os.path.normpath(each).startswith("results/")]


def add_table(name, compared=False):
    """Plan a table of results/features; say whether its numbers are compared with experiment."""
    TARGETS["features"].append(f"results/features/{name}.parquet")
    if compared:
        COMPARED[name] = f"results/features/{name}.parquet"
