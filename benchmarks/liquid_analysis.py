"""Speed and memory of the analysis of a liquid's trajectory; run as a process of its own to see its memory.

Usage: python -m benchmarks.liquid_analysis FOLDER. Analyses what `write_run` wrote and prints JSON.
"""

import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 10  # molecules along an edge
EDGE_NM = 4.08  # of 1000 methanol molecules at 0.78 g/cm3
MOLECULE_NM = np.array([[0.0, 0.0, 0.0], [0.143, 0.0, 0.0], [0.173, 0.0896, 0.0]])  # CH3, O, H


def analysis(n_frames: int) -> list[dict[str, Any]]:
    """Return frames per second and peak memory for a made-up liquid of 1000 methanol molecules."""
    from benchmarks.rows import row

    with tempfile.TemporaryDirectory() as folder:
        write_run(Path(folder), n_frames)
        command = [sys.executable, "-m", "benchmarks.liquid_analysis", folder]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(answer.stdout.splitlines()[-1])
    n_sites, rate = 3 * SIDE**3, n_frames / found["cpu_s"]
    conditions = f"{n_frames} made-up frames, one core; goal: 10,000 frames below 60 s and 1000 MB"
    return [
        row("analysis_frames_per_second", "methanol, made up", n_sites, [rate], "1/s", conditions),
        row("analysis_seconds_per_10000_frames", "methanol, made up", n_sites, [10_000 / rate], "s", conditions),
        row("analysis_peak_MB", "methanol, made up", n_sites, [found["peak_MB"]], "MB", conditions),
    ]


def write_run(folder: Path, n_frames: int) -> None:
    """Write the files of a run: molecules of random orientation that jitter about the points of a lattice."""
    from MDAnalysis.lib.formats.libmdaxdr import XTCFile

    from moxie.dynamics.protocol import RunSettings
    from moxie.dynamics.series import write_series
    from moxie.io import write_json

    generator = np.random.default_rng(1)
    turns = np.linalg.qr(generator.normal(size=(SIDE**3, 3, 3)))[0]
    lattice = np.stack(np.meshgrid(*[np.arange(SIDE)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3) * EDGE_NM / SIDE
    rest = lattice + MOLECULE_NM @ turns
    box = (np.eye(3) * EDGE_NM).astype(np.float32)
    with XTCFile(str(folder / "trajectory.xtc"), "w") as stream:
        for frame in range(n_frames):
            shifts = generator.normal(scale=0.04, size=(SIDE**3, 1, 3))
            stream.write((rest + shifts).reshape(-1, 3).astype(np.float32), box, frame, frame + 1.0, 1000.0)
    samples = generator.normal(size=(n_frames, 5))
    rows = np.column_stack(
        [np.arange(1.0, n_frames + 1), -36_400 + 100 * samples[:, 0], np.full(n_frames, 298.15),
         np.full(n_frames, EDGE_NM**3), 0.78 + 0.005 * samples[:, 1], *samples[:, 2:].T]
    )  # fmt: skip
    write_series(rows, folder / "timeseries.parquet")
    component = {"name": "methanol", "smiles": "CO", "count": SIDE**3, "site_atoms": [0, 1, 5],
                 "site_types": ["CH3_O", "O", "H"]}  # fmt: skip
    settings = RunSettings(298.15, equilibration_ps=0.0, sampling_ps=float(n_frames), sample_interval_ps=1.0)
    write_json(
        folder / "run.json",
        {"system": "methanol", "replica": 0, "settings": settings.as_dict(), "components": [component],
         "n_molecules": SIDE**3, "n_sites": 3 * SIDE**3, "mass_g_mol": 32.042 * SIDE**3, "force_field": "trappe_ua",
         "force_field_sha256": "made up", "degrees_of_freedom": 7 * SIDE**3, "platform": "CPU", "precision": "single"},
    )  # fmt: skip


def main() -> None:
    """Analyse one run."""
    logging.getLogger("pymbar").setLevel(logging.ERROR)  # it comments on every import
    import MDAnalysis.lib.distances  # noqa: F401  imports are the fixed cost of a job, not of its frames
    import pandas  # noqa: F401
    import pymbar.timeseries  # noqa: F401

    from moxie.features.liquids import analyse

    folder = Path(sys.argv[1])
    began = time.process_time()
    analyse(folder / "timeseries.parquet", folder / "trajectory.xtc", folder / "run.json")
    peak_MB = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": time.process_time() - began, "peak_MB": peak_MB}))


if __name__ == "__main__":
    main()
