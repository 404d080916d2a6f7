"""Periodic boxes of molecules: how large, how packed (packmol), and the extended XYZ file that holds one.

The file's comment line carries Lattice, the composition and the SMILES of every component; each atom has the columns
`molecule` (index in the box) and `component` (index into the composition, in order).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moxie.constants import AVOGADRO_PER_MOL
from moxie.errors import InputError
from moxie.io import write_text
from moxie.structures.molecules import coordinates_A, molar_mass_g_mol, symbols, van_der_waals_volume_A3

# Fraction of a molecular liquid's volume that is inside van der Waals surfaces, at room temperature: methanol 0.51,
# ethanol 0.53, hexane 0.51, water 0.58, propylene carbonate 0.58 (volumes of Zhao et al. over equation-of-state ones).
PACKING_FRACTION = 0.53
_DENSEST_PACKING = 0.85  # crystals of molecules have 0.65 to 0.8
EXCESS_EDGE = 1.12
_A3_PER_CM3_MOL = 1e24 / AVOGADRO_PER_MOL
_TOLERANCE_A = 2.0


@dataclass(frozen=True)
class Box:
    """Packed molecules: positions in angstrom in a cubic cell, molecules whole and one after the other."""

    symbols: list[str]
    positions_A: np.ndarray  # (n_atoms, 3)
    edge_A: float
    molecule: np.ndarray  # (n_atoms,) index of the molecule in the box
    component: np.ndarray  # (n_atoms,) index into composition
    composition: dict[str, int]
    smiles: dict[str, str]


def expected_edge_nm(
    composition: Mapping[str, int], smiles: Mapping[str, str], density_g_cm3: float | None = None
) -> float:
    """Return the edge of the cubic box that a composition will have as a liquid, in nm.

    With a density the edge is exact; without one it comes from van der Waals volumes and is good to about 4 %.
    Cheap enough to check a configuration. Raises InputError for a component without a SMILES.
    """
    volume_A3 = 0.0
    for name, count in composition.items():
        if name not in smiles:
            raise InputError(f"The composition names {name!r}, which is not among the molecules: {', '.join(smiles)}.")
        if density_g_cm3 is None:
            volume_A3 += count * van_der_waals_volume_A3(smiles[name], name) / PACKING_FRACTION
        else:
            volume_A3 += count * molar_mass_g_mol(smiles[name], name) / density_g_cm3 * _A3_PER_CM3_MOL
    return float(np.cbrt(volume_A3)) / 10


def check_cutoff(
    composition: Mapping[str, int],
    smiles: Mapping[str, str],
    cutoff_nm: float,
    density_g_cm3: float | None = None,
    name: str = "system",
) -> None:
    """Raise InputError when the liquid's box would not be wider than twice the cut-off (minimum image convention).

    Without a given density, 2 % of the edge are kept for the uncertainty of the estimate and for fluctuations.
    """
    edge_nm = expected_edge_nm(composition, smiles, density_g_cm3)
    margin = 1.0 if density_g_cm3 is not None else 1.02
    if edge_nm > 2 * margin * cutoff_nm:
        return
    factor = (2 * margin * cutoff_nm / edge_nm) ** 3
    total = sum(composition.values())
    raise InputError(
        f"dynamics.systems.{name}: {total} molecules make a box of about {edge_nm:.2f} nm, too small for a cut-off of"
        f" {cutoff_nm:g} nm (the box must be wider than {2 * margin * cutoff_nm:.2f} nm). Use at least"
        f" {int(np.ceil(total * factor)) + 1} molecules or a cut-off below {edge_nm / (2 * margin):.2f} nm."
    )


def check_density(
    composition: Mapping[str, int], smiles: Mapping[str, str], density_g_cm3: float, name: str = "system"
) -> None:
    """Raise InputError for a density at which the molecules' van der Waals volumes would hardly fit into the box."""
    estimate_nm = expected_edge_nm(composition, smiles)
    share = PACKING_FRACTION * (estimate_nm / expected_edge_nm(composition, smiles, density_g_cm3)) ** 3
    if share > _DENSEST_PACKING:
        raise InputError(
            f"dynamics.systems.{name}: at density_g_cm3 = {density_g_cm3:g} the van der Waals volumes of the molecules"
            f" would take {share:.0%} of the box; {_DENSEST_PACKING:.0%} is the most. A liquid would have about"
            f" {density_g_cm3 * PACKING_FRACTION / share:.2g} g/cm3."
        )


def pack(
    molecules: Mapping[str, object],
    composition: Mapping[str, int],
    smiles: Mapping[str, str],
    seed: int,
    density_g_cm3: float | None = None,
    time_limit_s: float = 300.0,
) -> Box:
    """Pack molecules (rdkit, with conformers) into a cubic box 12 % wider than the liquid's.

    The packing is packmol's: Martinez et al., J. Comput. Chem. 30, 2157 (2009). Raises InputError when packmol is
    missing, fails, or takes longer than `time_limit_s`.
    """
    edge_A = 10 * EXCESS_EDGE * expected_edge_nm(composition, smiles, density_g_cm3)
    longest_A = max(float(np.ptp(coordinates_A(molecules[name]), axis=0).max(initial=0.0)) for name in composition)
    edge_A = max(edge_A, longest_A + 2 * _TOLERANCE_A)
    parts, molecule_index, component_index = [], [], []
    count_so_far = 0
    for index, (name, count) in enumerate(composition.items()):
        atoms = symbols(molecules[name])
        parts += atoms * count
        molecule_index.append(np.repeat(np.arange(count_so_far, count_so_far + count), len(atoms)))
        component_index.append(np.full(count * len(atoms), index))
        count_so_far += count
    positions_A = _run_packmol(molecules, composition, edge_A, seed, time_limit_s)
    if len(positions_A) != len(parts):
        raise InputError(f"packmol placed {len(positions_A)} atoms where {len(parts)} were asked for.")
    return Box(
        parts, positions_A, edge_A, np.concatenate(molecule_index), np.concatenate(component_index),
        dict(composition), {name: smiles[name] for name in composition},
    )  # fmt: skip


def find_packmol() -> str:
    """Return the path of the packmol program: beside this Python first, then on PATH."""
    beside = os.path.dirname(sys.executable)
    program = shutil.which("packmol", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if program is None:
        raise InputError("The program packmol is not installed. `pip install packmol` provides it.")
    return program


def _run_packmol(
    molecules: Mapping[str, object], composition: Mapping[str, int], edge_A: float, seed: int, time_limit_s: float
) -> np.ndarray:
    program = find_packmol()
    low, high = _TOLERANCE_A / 2, edge_A - _TOLERANCE_A / 2
    with tempfile.TemporaryDirectory(prefix="moxie-packmol-") as folder:
        lines = [f"tolerance {_TOLERANCE_A}", "filetype xyz", "output packed.xyz", f"seed {seed % 2**31}"]
        for index, (name, count) in enumerate(composition.items()):
            _write_plain_xyz(Path(folder, f"{index}.xyz"), molecules[name])
            inside = f"inside box {low:.4f} {low:.4f} {low:.4f} {high:.4f} {high:.4f} {high:.4f}"
            lines += [f"structure {index}.xyz", f"  number {count}", f"  {inside}", "end structure"]
        Path(folder, "packmol.inp").write_text("\n".join(lines) + "\n")
        with open(Path(folder, "packmol.inp")) as stream:  # a pipe would not do: packmol rewinds its input
            try:
                result = subprocess.run(
                    [program], stdin=stream, capture_output=True, text=True, cwd=folder, timeout=time_limit_s,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise InputError(
                    f"packmol did not pack {dict(composition)} into {edge_A:.1f} A within {time_limit_s:g} s. Give a"
                    " lower density_g_cm3 or fewer molecules."
                ) from None
        output = Path(folder, "packed.xyz")
        if result.returncode != 0 or not output.exists() or "Success!" not in result.stdout:
            raise InputError(
                f"packmol could not pack {dict(composition)} into {edge_A:.1f} A (exit {result.returncode}):"
                f" {' '.join((result.stderr or result.stdout).split())[-300:]}"
            )
        return np.loadtxt(output, skiprows=2, usecols=(1, 2, 3), ndmin=2)


def _write_plain_xyz(path: Path, molecule: object) -> None:
    rows = zip(symbols(molecule), coordinates_A(molecule), strict=True)
    atoms = [f"{symbol} {x:.5f} {y:.5f} {z:.5f}" for symbol, (x, y, z) in rows]
    path.write_text(f"{len(atoms)}\n\n" + "\n".join(atoms) + "\n")


def write_box(box: Box, path: str | Path) -> None:
    """Write a box as extended XYZ (readable by ase, ovito and `read_box`)."""
    edge = f"{box.edge_A:.6f}"
    info = {"composition": box.composition, "smiles": box.smiles}
    quoted = " ".join(f'{key}="_JSON {_escape(json.dumps(value))}"' for key, value in info.items())
    header = (
        f'Lattice="{edge} 0.0 0.0 0.0 {edge} 0.0 0.0 0.0 {edge}"'
        f' Properties=species:S:1:pos:R:3:molecule:I:1:component:I:1 {quoted} pbc="T T T"'
    )
    rows = zip(box.symbols, box.positions_A, box.molecule, box.component, strict=True)
    atoms = [f"{s:2s} {p[0]:14.6f} {p[1]:14.6f} {p[2]:14.6f} {m:6d} {c:3d}" for s, p, m, c in rows]
    write_text(path, f"{len(box.symbols)}\n{header}\n" + "\n".join(atoms) + "\n")


def read_box(path: str | Path) -> Box:
    """Read a box that `write_box` wrote. Raises InputError naming the file when it is missing or damaged."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        count, header = int(lines[0]), lines[1]
        rows = [line.split() for line in lines[2 : 2 + count]]
        if len(rows) != count:
            raise ValueError(f"{len(rows)} atoms of {count}")
        lattice = re.search(r'Lattice="([^"]*)"', header)
        info = {}
        for key in ("composition", "smiles"):
            match = re.search(rf'{key}="_JSON ((?:[^"\\]|\\.)*)"', header)
            if match is None:
                raise ValueError(f"no {key} in the comment line")
            info[key] = json.loads(re.sub(r"\\(.)", r"\1", match.group(1)))
        if lattice is None:
            raise ValueError("no Lattice in the comment line")
        return Box(
            [row[0] for row in rows],
            np.array([[float(value) for value in row[1:4]] for row in rows]),
            float(lattice.group(1).split()[0]),
            np.array([int(row[4]) for row in rows]),
            np.array([int(row[5]) for row in rows]),
            info["composition"],
            info["smiles"],
        )
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a packed box ({error}). Delete it and run again to make it anew.") from None


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
