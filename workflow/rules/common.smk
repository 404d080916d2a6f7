"""What all rules share."""

from moxie.provenance import code_digest

KINDS = study.kinds()


def code(script, *modules):
    """Digest of a script and of all library modules behind it: a changed one reruns the job."""
    return code_digest(ROOT / "scripts" / f"{script}.py", *modules)
