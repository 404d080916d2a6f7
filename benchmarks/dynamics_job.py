"""One job of molecular dynamics from nothing; run as a process of its own, so that imports count.

Usage: python dynamics_job.py FOLDER COUNT SMILES SETTINGS.json. Packs a box, simulates it, and prints JSON: the CPU
seconds of all of it, and of the production alone.
"""

import json
import resource
import sys
from pathlib import Path

from moxie.dynamics.execution import Execution, Outputs
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.simulation import simulate
from moxie.structures.boxes import pack, write_box
from moxie.structures.molecules import embed

NAMES = ("timeseries.parquet", "trajectory.xtc", "run.json", "topology.pdb")


def run(folder: Path, count: int, smiles: str, settings: RunSettings, seed: int = 1) -> dict[str, float]:
    """Pack `count` molecules and simulate them on one thread of the CPU platform; return what run.json holds."""
    write_box(pack({"it": embed(smiles)}, {"it": count}, {"it": smiles}, seed), folder / "box.xyz")
    return simulate(
        folder / "box.xyz",
        Outputs(*(folder / name for name in NAMES)),
        settings,
        system="it",
        replica=0,
        seed=seed,
        execution=Execution(folder / "checkpoint", platform="CPU"),
    )


def main() -> None:
    """Run one job and tell what it took."""
    folder, count, smiles, settings = sys.argv[1:]
    facts = run(Path(folder), int(count), smiles, RunSettings(**json.loads(settings)))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    total = sum(usage.ru_utime + usage.ru_stime for usage in used)
    print(json.dumps({"cpu_s": total, "production_cpu_s": facts["production_cpu_s"]}))


if __name__ == "__main__":
    main()
