"""Draw attempts per CPU second against the number of atoms, from results/benchmarks/oxidation.json."""

import json
from pathlib import Path

import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Write docs/images/attempts_per_second.svg: a-Si with a last stage of six shells, median and extremes."""
    rows = json.loads((ROOT / "results" / "benchmarks" / "oxidation.json").read_text())["rows"]
    rows = [r for r in rows if r["metric"] == "attempts_per_cpu_second" and r["system"] == "a-Si"]
    rows = sorted((r for r in rows if "last stage 6 shells" in r["conditions"]), key=lambda r: r["n_atoms"])
    n_atoms = [r["n_atoms"] for r in rows]
    speed = [r["value"] / 1000 for r in rows]
    errors = [[(r["value"] - r["minimum"]) / 1000 for r in rows], [(r["maximum"] - r["value"]) / 1000 for r in rows]]
    plt.style.use(ROOT / "src" / "moxie" / "figures" / "moxie.mplstyle")
    figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
    axes.errorbar(n_atoms, speed, errors, marker="o", capsize=3)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("number of atoms")
    axes.set_ylabel("attempts per CPU second (thousands)")
    axes.set_title("Bond switches in amorphous silicon, kT 0.25 eV")
    figure.savefig(Path(__file__).with_name("attempts_per_second.svg"))


if __name__ == "__main__":
    main()
