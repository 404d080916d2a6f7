"""How often the error bars hold: made series whose mean is known, and many short runs that differ in their seed.

The runs are the study `workflow/studies/coverage.yaml` in results/benchmarks/coverage, which goes on where it was
stopped: STAGE=coverage may be ended and started again. QUICK=1 takes a dozen runs of each kind.
"""

import datetime
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import row
from moxie.timeseries import Mean, jackknife_mean, mean_of

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "workflow" / "studies" / "coverage.yaml"
FOLDER = Path("results") / "benchmarks" / "coverage"
INTERVAL_PS, GOAL = 0.2, "goal: 0.92 to 0.97"
PIECES_PS = (2000.0, 500.0, 200.0, 50.0, 10.0, 4.0)  # of the runs of isolated molecules
TABLES = ("liquids", "rdf_curves", "dihedral_curves", "oxide_runs")
QUICK_STUDY = {
    "dynamics": {"systems": {"ethanol": {"replicas": 12}, "ethanol_short": {"replicas": 6}}},
    "oxidation": {"replicas": 12},
}
Rows = list[dict[str, Any]]


def measure(quick: bool) -> Rows:
    """Audit made series, then the study's tables; write coverage.parquet, coverage.svg and coverage.md."""
    import pandas as pd

    run(quick)
    parts = [made(100 if quick else 500), isolated(FOLDER / "results" / "dynamics", 100 if quick else 1000)]
    found = pd.concat([*parts, audit(FOLDER / "results" / "features")], ignore_index=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    found.to_parquet(FOLDER.with_suffix(".parquet"))
    draw(found, FOLDER.with_suffix(".svg"))
    write_page(found, FOLDER.with_suffix(".md"))
    return [
        row(
            "coverage_of_1.96_errors", f"{line.system}: {line.observable}", 0, [line.coverage], "1",
            f"{line.given} of {line.runs} give an error; scatter/error {line.ratio:.2f};"
            f" binomial error {line.coverage_standard_error:.3f}; {GOAL}",
        )
        for line in found.dropna(subset=["coverage"]).itertuples()
    ]  # fmt: skip


def audit(features: Path) -> Any:
    """Return the coverage of the errors in the study's tables, one row for each state and observable."""
    import pandas as pd

    from moxie.features.coverage import coverage, coverage_of_curves, coverage_of_pairs

    tables = {name: pd.read_parquet(features / f"{name}.parquet") for name in TABLES}
    films = tables["oxide_runs"].assign(system="film")
    state = ("system", "orientation", "temperature_K", "stage")
    own = [name for name in films if f"{name}_standard_error" in films]
    return pd.concat(
        [
            coverage(tables["liquids"]),
            coverage_of_curves(tables["rdf_curves"], "pair", "r_A"),
            coverage_of_curves(tables["dihedral_curves"], "torsion", "angle_deg"),
            coverage(films, state),
            coverage_of_pairs(films, tuple(own), state),
        ],
        ignore_index=True,
    )


def made(count: int) -> Any:
    """Return the coverage of means and variances of made series of a hundred picoseconds and of half a nanosecond."""
    import pandas as pd

    rng = np.random.default_rng(20261130)
    rows = []
    for quantity, estimate, exact, times in (("mean", mean_of, 0.0, count), ("variance", variance_of, 1.0, count // 2)):
        for name, make in MADE.items():
            for samples in (500, 2500):
                found = [estimate(make(rng, samples)) for _ in range(times)]
                row = _against(exact, [each.value for each in found], [each.standard_error for each in found])
                title = f"{quantity} of {name}, {samples * INTERVAL_PS:g} ps"
                rows.append({"system": "made series", "observable": title} | row)
    return pd.DataFrame(rows)


def isolated(dynamics: Path, most: int) -> Any:
    """Return the coverage of mean and variance of the energy of isolated molecules, whole runs and pieces of them.

    Exact is what all runs together have: a hundred times as much as the longest piece.
    """
    import pandas as pd

    files = sorted(dynamics.glob("*/*/gas/*/*/timeseries.parquet"))
    series = np.array([pd.read_parquet(file)["potential_energy_kJ_mol"] for file in files])
    mean, variance = float(series.mean()), float(series.var())
    rows = []
    for length_ps in PIECES_PS:
        samples = round(length_ps / INTERVAL_PS)
        pieces = series[:, : series.shape[1] // samples * samples].reshape(-1, samples)
        pieces = pieces[:: max(1, len(pieces) // most)][:most]
        for quantity, estimate, exact in (("mean", mean_of, mean), ("variance", variance_of, variance)):
            found = [estimate(piece) for piece in pieces]
            row = _against(exact, [each.value for each in found], [each.standard_error for each in found])
            rows.append(
                {"system": "isolated molecule", "observable": f"{quantity} of the energy, {length_ps:g} ps"} | row
            )
    return pd.DataFrame(rows)


def variance_of(series: np.ndarray) -> Mean:
    """Return the variance of a series as heat capacities and compressibilities find it."""
    return jackknife_mean(series[:, None], lambda rows: float(rows.var()), positive=True)


def _against(exact: float, found: list[float], standard_errors: list[float]) -> dict[str, Any]:
    values, errors = np.array(found), np.array(standard_errors)
    given = np.isfinite(errors)
    if not given.any():
        return {"runs": len(values), "given": 0, "mean": values.mean(), "scatter": values.std()}
    held = float(np.mean(np.abs(values[given] - exact) < 1.96 * errors[given]))
    typical = float(np.sqrt((errors[given] ** 2).mean()))
    return {
        "runs": len(values), "given": int(given.sum()), "mean": values.mean(), "scatter": values.std(),
        "mean_standard_error": typical, "ratio": values.std() / typical, "coverage": held,
        "coverage_standard_error": float(np.sqrt(held * (1 - held) / given.sum())),
    }  # fmt: skip


def exponentials(*parts: tuple[float, float]) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Return a maker of series with these shares of variance and memories (ps)."""
    from scipy.signal import lfilter

    def make(rng: np.random.Generator, samples: int) -> np.ndarray:
        series = np.zeros(samples)
        for share, memory_ps in parts:
            memory = np.exp(-INTERVAL_PS / memory_ps)
            noise = rng.normal(0, np.sqrt(1 - memory**2), samples)
            noise[0] = rng.normal()
            series += np.sqrt(share) * lfilter([1.0], [1.0, -memory], noise)
        return series

    return make


MADE: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "white noise": lambda rng, samples: rng.normal(size=samples),
    "1 ps": exponentials((1.0, 1.0)),
    "0.3 ps, 15 % 10 ps": exponentials((0.85, 0.3), (0.15, 10.0)),
    "0.3 ps, 30 % 12 ps": exponentials((0.7, 0.3), (0.3, 12.0)),
    "0.3 ps, 40 % 15 ps": exponentials((0.6, 0.3), (0.4, 15.0)),
}


def run(quick: bool) -> None:
    """Run what is missing of the study."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = [str(STUDY)]
    if quick:
        (FOLDER / "quick.json").write_text(json.dumps(QUICK_STUDY))
        files.append(str((FOLDER / "quick.json").resolve()))
    command = [
        sys.executable, str(ROOT / "workflow" / "run.py"), "--snakefile", str(ROOT / "Snakefile"), "--directory",
        str(FOLDER.resolve()), "--cores", "2", "--configfile", *files, "--",
        *(f"results/features/{name}.parquet" for name in TABLES),
    ]  # fmt: skip
    subprocess.run(command, check=True)


HEAD = """# Coverage: how often errors hold

Written by `make bench STAGE=coverage` (`results/benchmarks/coverage.md`), commit {commit}, {date}; do not edit.
What it tells is said under [errors of liquids](liquid_errors.md).
Coverage is the share of intervals of 1.96 errors that hold the mean, in brackets its binomial error in the last digits.
"Ratio" is the scatter over runs, relative to the typical error given.
"""
TITLES = {
    "made series": "Made series, whose mean or variance is known",
    "isolated molecule": "Ethanol alone, at 400 K; memory 1 ps",
    "ethanol": "Ethanol: 48 molecules, 400 K, 20 bar, 60 ps",
    "ethanol_short": "The same for 8 ps, which is too short",
    "film": "Films: Si(100), 2 x 2 cells, 1273 K; errors are those within a film, or of the mean of two films",
}


def write_page(found: Any, path: Path) -> None:
    """Write the tables as a page for docs/measured, with commit and date."""
    from moxie.io import write_text
    from moxie.provenance import git_commit

    commit = (git_commit(ROOT) or "unknown")[:7]
    parts = [HEAD.format(commit=commit, date=datetime.date.today())]
    for system, rows in found.groupby("system", sort=False):
        lines = [
            "| observable | runs | with an error | mean | scatter | ratio | coverage |",
            "|---|---|---|---|---|---|---|",
        ]
        for line in rows.itertuples():
            held = f"{line.coverage:.3f}({1000 * line.coverage_standard_error:.0f})" if line.given else ""
            ratio = f"{line.ratio:.2f}" if line.given else ""
            mean, scatter = ("" if np.isnan(x) else f"{x:.3g}" for x in (line.mean, line.scatter))
            lines.append(f"| {line.observable} | {line.runs} | {line.given} | {mean} | {scatter} | {ratio} | {held} |")
        parts.append(f"## {TITLES.get(system, system)}\n\n" + "\n".join(lines) + "\n")
    write_text(path, "\n".join(parts))


def draw(found: Any, path: Path) -> None:
    """Draw the coverage of every observable with its binomial error, and the goal as a band."""
    import matplotlib.pyplot as plt

    known = found.dropna(subset=["coverage"]).iloc[::-1].reset_index(drop=True)
    figure, axes = plt.subplots(figsize=(6.5, 0.22 * len(known) + 1), layout="constrained")
    axes.axvspan(0.92, 0.97, color="0.9")
    axes.errorbar(known["coverage"], known.index, xerr=known["coverage_standard_error"], fmt="o", markersize=3)
    axes.set_yticks(known.index, known["system"] + ": " + known["observable"], fontsize=7)
    axes.set_xlabel("share of intervals of 1.96 standard errors that hold the mean")
    figure.savefig(path)
    plt.close(figure)
