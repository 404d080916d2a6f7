"""Write docs/licences.md: the licence of every package in the locks, as its own metadata or licence file states it."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "docs" / "licences.md"
_COPYLEFT = re.compile(r"\b(L?GPL|GNU|MPL|Mozilla|proprietary)", re.IGNORECASE)
_KNOWN_TEXTS = {
    "MIT License": r"MIT License|Permission is hereby granted, free of charge, to any person",
    "BSD License": r"Redistribution and use in source and binary forms",
    "Apache License 2.0": r"Apache License\s+Version 2\.0",
}
# What is not installed by `make test`, and what the metadata leave out or say otherwise than the licence file.
_STATED = {
    "acpype": "GPL-3.0-or-later",
    "colorama": "BSD-3-Clause",
    "mpich": "MPICH licence (permissive)",
    "nvidia-*": "NVIDIA proprietary (end-user licence of the CUDA toolkit)",
    "openbabel-wheel": "GPL-2.0-only",
    "openmm": "MIT; its CUDA, HIP and OpenCL platforms LGPL-3.0-or-later",
    "openmm-cuda-12": "LGPL-3.0-or-later",
    "pyreadline3": "BSD-3-Clause",
}
_HEAD = """# Licences of what is installed

Made from the locks in `envs/` and from the packages themselves by `envs/make_licences.py` (`make lock` runs it).
moxie itself is under the MIT licence and contains none of these packages; pip installs them beside it. Lock `core` is
what `make run` installs, `test` what `make test` installs; the others are asked for by name.

Using a package under any of these licences for research asks nothing of you. Passing on a copy, for example in a
container image, does: with GPL and LGPL packages goes their source or an offer of it, with MPL packages the source of
the files that you changed. Packages wholly under the GPL are in `test` and `gaff` only, and moxie runs without them.
"""


def locked() -> dict[str, set[str]]:
    """Return {package: the locks that name it}."""
    found: dict[str, set[str]] = {}
    for lock in sorted(FOLDER.glob("*.txt")):
        for name in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", lock.read_text(encoding="utf-8"), re.MULTILINE):
            found.setdefault(name.lower(), set()).add(lock.stem)
    return found


def licence(name: str) -> str:
    """Return the licence of a package; empty where nothing says it."""
    for pattern, stated in _STATED.items():
        if name == pattern or pattern.endswith("*") and name.startswith(pattern[:-1]):
            return stated
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return ""
    metadata = package.metadata
    expression = metadata.get("License-Expression") or ""
    short = (metadata.get("License") or "").strip()
    classes = [text.split(" :: ")[-1] for text in metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    named = [text for text in classes if text not in ("OSI Approved", "DFSG approved")]
    return expression or (short if short and "\n" not in short else " / ".join(named)) or _from_file(package)


def _from_file(package: Distribution) -> str:
    for file in package.files or []:
        if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
            text = file.read_text(encoding="utf-8")
            return next((name for name, words in _KNOWN_TEXTS.items() if re.search(words, text)), "")
    return ""


def page() -> str:
    """Return the page, first what asks something of those who pass it on."""
    rows = [(name, licence(name), ", ".join(sorted(locks))) for name, locks in sorted(locked().items())]
    parts = [_HEAD]
    for title, chosen in (("Copyleft and proprietary", True), ("Permissive", False)):
        parts.append(f"\n## {title}\n\n| package | licence | locks |\n|---|---|---|\n")
        parts += [f"| {' | '.join(row)} |\n" for row in rows if bool(_COPYLEFT.search(row[1])) is chosen]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
