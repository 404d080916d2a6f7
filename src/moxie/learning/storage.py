"""Model files that run no code when they are loaded (skops), and what may be in them."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.io import replace_when_complete

# Reviewed: parameters of kernels only; constructing them computes nothing and touches no file.
TRUSTED_TYPES = tuple(
    f"sklearn.gaussian_process.kernels.{name}"
    for name in ("ConstantKernel", "DotProduct", "Product", "RBF", "Sum", "WhiteKernel")
)


def save_model(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a mapping of estimators, numbers and texts, whole or not at all; equal content gives equal bytes."""
    import skops.io

    with replace_when_complete(path) as partial:
        skops.io.dump(dict(content), partial)
        _rewrite_without_addresses(partial)


def load_model(path: str | Path) -> dict[str, Any]:
    """Read a model file; raises InputError if it is damaged or holds a type that is not in TRUSTED_TYPES."""
    import skops.io

    if not Path(path).is_file():
        raise InputError(f"{path} does not exist, or is no file.")
    try:
        unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED_TYPES))
        if unknown:
            raise InputError(f"{path} holds types that are not trusted: {', '.join(unknown)}.")
        return skops.io.load(path, trusted=list(TRUSTED_TYPES))
    except InputError:
        raise
    except Exception as error:  # skops trips over a changed file in nearly any way there is
        raise InputError(
            f"{path} is damaged, or is no model ({type(error).__name__}: {error}). Delete it and run again to make it "
            "anew."
        ) from error


def _rewrite_without_addresses(path: Path) -> None:
    """Number the objects of a skops file in the order in which they appear, and give its members one fixed date.

    skops names arrays and objects by their addresses in memory and dates every member, so that no two files are alike.
    """
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
        arrays = {name: archive.read(name) for name in archive.namelist() if name != "schema.json"}
    numbers: dict[int, int] = {}
    renamed: dict[str, str] = {}

    def renumber(node: Any) -> None:
        if isinstance(node, list):
            for part in node:
                renumber(part)
        elif isinstance(node, dict):
            if isinstance(node.get("__id__"), int):
                node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
            if node.get("file") in arrays:
                node["file"] = renamed.setdefault(node["file"], f"{len(renamed) + 1}{Path(node['file']).suffix}")
            for part in node.values():
                renumber(part)

    renumber(schema)
    with zipfile.ZipFile(path, "w") as archive:
        for name, new in renamed.items():
            archive.writestr(zipfile.ZipInfo(new), arrays[name])
        archive.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema, indent=2))


def predict(model: Mapping[str, Any], features: Any) -> tuple[Any, Any]:
    """Return mean and standard deviation of a single new run; columns of `features` as in model["features"]."""
    import numpy as np

    mean, deviation = model["pipeline"].predict(np.asarray(features, dtype=float), return_std=True)
    return mean, np.sqrt(deviation**2 + model["noise_variance"])
