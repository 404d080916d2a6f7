"""Speed of molecular dynamics: ns/day of one core, and what a job costs before its first step."""

import logging
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.rows import row


def measure(quick: bool) -> list[dict[str, Any]]:
    """Measure TraPPE-UA methanol, 216 molecules, at the settings of the default study."""
    from moxie.dynamics.protocol import Settings
    from moxie.dynamics.simulation import Outputs, simulate
    from moxie.structures.boxes import pack, write_box
    from moxie.structures.molecules import embed

    logging.getLogger("moxie").setLevel(logging.WARNING)
    speeds, fixed = [], []
    runs, short_ps, long_ps = (3, 2.0, 12.0) if quick else (5, 5.0, 45.0)
    for run in range(runs):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            box = folder / "box.xyz"
            write_box(pack({"methanol": embed("CO")}, {"methanol": 216}, {"methanol": "CO"}, run + 1), box)
            took = {}
            for length_ps in (short_ps, long_ps):
                files = (folder / f"{length_ps}{kind}" for kind in (".parquet", ".xtc", ".pdb", ".json"))
                settings = Settings(
                    298.15, timestep_fs=4.0, hydrogen_mass_amu=3.0, equilibration_ps=0.0, sampling_ps=length_ps
                )
                began = time.process_time()
                simulate(
                    box,
                    Outputs(*files),
                    settings,
                    system="methanol",
                    replica=0,
                    seed=run + 1,
                    checkpoint_dir=folder / "checkpoints",
                    platform="CPU",
                )
                took[length_ps] = time.process_time() - began
        per_ps = (took[long_ps] - took[short_ps]) / (long_ps - short_ps)
        speeds.append(86.4 / per_ps)
        fixed.append(took[short_ps] - short_ps * per_ps)
    conditions = "TraPPE-UA, 298.15 K, 1 bar, 4 fs, cut-off 1.0 nm, CPU platform, one thread"
    return [
        row("ns_per_day_per_core", "methanol", 648, speeds, "ns/day", conditions),
        row("fixed_cost_cpu_seconds", "methanol", 648, fixed, "s", f"{conditions}; imports not included"),
    ]
