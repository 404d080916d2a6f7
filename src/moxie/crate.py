"""A finished study as an RO-Crate: its results with what made them, as archives and catalogues read it.

Profile: Workflow Run Crate 0.5 (https://w3id.org/ro/wfrun/workflow/0.5). All facts come from the manifest.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.io import read_json, sha256, write_text

_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_KEPT = ("features", "tables", "figures", "learning")  # folders of the results; simulations stay where they are
_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_CHECKSUM = "https://w3id.org/ro/terms/workflow-run#sha256"
_LICENCE = "https://spdx.org/licenses/MIT"


def write_crate(results: str | Path, out: str | Path, workflow: str | Path) -> Path:
    """Write the study of a folder of results as the crate `out`, a new folder, and return its metadata file.

    workflow: the Snakefile. Needs the package rocrate. Raises InputError for a study without manifest or report, for a
    result that is not what its job wrote, and for a place that is taken.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise InputError("The package rocrate is not installed. Install it: make crate") from None
    results, out = Path(results), Path(out)
    if out.exists():
        raise InputError(f"{out} is there already. Name another folder, or delete it.")
    manifest_path, report = results / "manifest.json", results / "report.html"
    for path in (manifest_path, report):
        if not path.is_file():
            raise InputError(f"{path} is missing: only a finished study makes a crate. Run the study to its report.")
    manifest = read_json(manifest_path)
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms["sha256"] = _CHECKSUM
    _describe(crate, manifest, datetime.fromtimestamp(report.stat().st_mtime, UTC))
    main = crate.add_workflow(
        str(workflow), "Snakefile", main=True, lang="snakemake", properties={"name": "moxie, a Snakemake workflow"}
    )
    config = crate.add_file(
        _as_file(out, manifest["config"]), "config.json",
        properties={"name": "Configuration of the study", "encodingFormat": "application/json"},
    )  # fmt: skip
    made = [_add(crate, path, results) for path in (report, manifest_path, *_outputs(manifest, results))]
    crate.root_dataset["mentions"] = _action(crate, manifest, main, config, made, report)
    crate.write(str(out))
    (out.parent / f".{out.name}.config.json").unlink()
    return out / "ro-crate-metadata.json"


def _describe(crate: Any, manifest: Mapping[str, Any], finished: datetime) -> None:
    from rocrate.model.contextentity import ContextEntity

    study = manifest["config"].get("study", {})
    crate.name = study.get("title") or study.get("name") or "Study"
    crate.description = (
        f"Results of the study {study.get('name')!r} of moxie: tables, figures, models and the report, with the "
        f"configuration and the manifest of {len(manifest['jobs'])} jobs."
    )
    crate.datePublished = finished
    crate.license = crate.add(ContextEntity(crate, _LICENCE, {"@type": "CreativeWork", "name": "MIT Licence"}))
    profiles = [
        crate.add(ContextEntity(crate, url, {"@type": "CreativeWork", "name": name, "version": version}))
        for url, (name, version) in _PROFILES.items()
    ]
    crate.root_dataset["conformsTo"] = profiles


def _as_file(out: Path, config: Mapping[str, Any]) -> str:
    """Write the configuration beside the crate, from where it is copied into it, and return its path."""
    path = out.parent / f".{out.name}.config.json"
    write_text(path, json.dumps(config, indent=1, sort_keys=True))
    return str(path)


def _outputs(manifest: Mapping[str, Any], results: Path) -> list[Path]:
    """Return the tables, figures and models that the manifest knows, each still what its job wrote."""
    found = []
    for job in manifest["jobs"]:
        for name, checksum in job["outputs"].items():
            path = results / Path(name).relative_to("results")
            if Path(name).parts[1] not in _KEPT:
                continue
            if not path.is_file() or sha256(path) != checksum:
                raise InputError(f"{path} is missing or not what its job wrote. Run the study again.")
            found.append(path)
    return sorted(found)


def _add(crate: Any, path: Path, results: Path) -> Any:
    place = Path("results") / path.relative_to(results)
    properties = {
        "name": str(path.relative_to(results)),
        "sha256": sha256(path),
        "contentSize": str(path.stat().st_size),
        "encodingFormat": _TYPES.get(path.suffix, "application/octet-stream"),
    }
    return crate.add_file(str(path), str(place), properties=properties)


def _action(crate: Any, manifest: Mapping[str, Any], main: Any, config: Any, made: list[Any], report: Path) -> Any:
    """Return the run of the workflow: from the configuration to the results, by which versions."""
    from rocrate.model.contextentity import ContextEntity

    versions = "; ".join(f"{name} {version}" for name, version in sorted(manifest["packages"].items()) if version)
    seconds = sum(float(job.get("wall_s") or 0) for job in manifest["jobs"])
    return crate.add(
        ContextEntity(
            crate,
            "#run",
            {
                "@type": "CreateAction",
                "name": "Run of the workflow",
                "description": f"Commit {manifest.get('git_commit') or 'unknown'}; {len(manifest['jobs'])} jobs, "
                f"{seconds:.0f} s in all. {versions}.",
                "endTime": datetime.fromtimestamp(report.stat().st_mtime, UTC).isoformat(timespec="seconds"),
                "instrument": {"@id": main.id},
                "object": [{"@id": config.id}],
                "result": [{"@id": file.id} for file in made],
                "actionStatus": "http://schema.org/CompletedActionStatus",
            },
        )
    )
