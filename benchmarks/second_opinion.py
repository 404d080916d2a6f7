"""What another Hamiltonian says of the films' model: silica and suboxides by GFN1-xTB and GFN2-xTB (tblite by ASE).

Silica: a periodic cell of 24 atoms, from a disordered cristobalite that the model relaxed at each of a few densities,
relaxed once more; the parabola through the lowest three energies gives the density. Suboxides: molecules with one Si in
the middle and n O around it, Si(SiH3)4-n(OSiH3)n, as pieces cut out of a film. Their energy above the mixture of
n = 0 and n = 4 is what the model calls the penalty of Si with n O neighbours.
"""

from typing import Any

import numpy as np

from benchmarks.rows import row

METHODS = ("GFN1-xTB", "GFN2-xTB")
DENSITIES_G_CM3 = (1.7, 1.85, 2.0, 2.15, 2.3)
DISORDER_A = 0.15
LARGEST_FORCE_EV_A = 0.1
Rows = list[dict[str, Any]]


def measure(quick: bool) -> Rows:
    """Return the rows of the model and of both methods; `quick` leaves the periodic cell to GFN1-xTB alone."""
    rows = suboxides()
    return rows + silica(METHODS[:1] if quick else METHODS)


def relaxed(atoms: Any, method: str) -> float:
    """Relax atoms in place and return their energy in eV."""
    from ase.optimize import BFGS
    from tblite.ase import TBLite

    atoms.calc = TBLite(method=method, verbosity=0)
    BFGS(atoms, logfile=None).run(fmax=LARGEST_FORCE_EV_A, steps=200)
    return float(atoms.get_potential_energy())


def suboxides() -> Rows:
    """Return the energies of Si with one to three O neighbours by each method, beside the model's penalties."""
    from moxie.oxidation.parameter_sets import load_parameters

    penalty = load_parameters("von_alfthan_2003").suboxide_eV
    rows = [row(f"suboxide_{n}_eV", "von_alfthan_2003", 0, [penalty[n]], "eV", "Hamann 2000") for n in (1, 2, 3)]
    for method in METHODS:
        pieces = [piece(n) for n in range(5)]
        energies = [relaxed(atoms, method) for atoms in pieces]
        for n in (1, 2, 3):
            above = energies[n] - (1 - n / 4) * energies[0] - n / 4 * energies[4]
            rows.append(row(f"suboxide_{n}_eV", method, len(pieces[n]), [above], "eV", f"Si(SiH3){4 - n}(OSiH3){n}"))
    return rows


def piece(n_oxygen: int) -> Any:
    """Return a Si with n O neighbours and 4 - n Si neighbours, closed by H, as ASE atoms."""
    from ase import Atoms
    from rdkit import Chem
    from rdkit.Chem import AllChem

    arms = ["O[SiH3]"] * n_oxygen + ["[SiH3]"] * (4 - n_oxygen)
    molecule = Chem.AddHs(Chem.MolFromSmiles(f"[Si]({arms[0]})({arms[1]})({arms[2]}){arms[3]}"))
    AllChem.EmbedMolecule(molecule, randomSeed=1)
    return Atoms([atom.GetSymbol() for atom in molecule.GetAtoms()], molecule.GetConformer().GetPositions())


def silica(methods: tuple[str, ...]) -> Rows:
    """Return density, bond length and angles of the cell at its lowest energy, by the model and by each method."""
    cells = [model_cell(density) for density in DENSITIES_G_CM3]
    rows = shape("von_alfthan_2003", cells, [energy for _, energy in cells])
    for method in methods:
        energies = [relaxed(atoms, method) for atoms, _ in cells]
        rows += shape(method, cells, energies)
    return rows


def model_cell(density_g_cm3: float) -> tuple[Any, float]:
    """Return a disordered cristobalite of 24 atoms that the model relaxed at a density, and its energy in eV."""
    from ase import Atoms

    from moxie.oxidation.engine import Engine
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.structures.network import make_network
    from moxie.structures.silicon import beta_cristobalite

    ideal = beta_cristobalite((1, 1, 1), density_g_cm3)
    positions = ideal.positions + DISORDER_A * np.random.default_rng(1).standard_normal(ideal.positions.shape)
    network = make_network(positions, ideal.species, ideal.bonds, ideal.cell)
    engine = Engine(network, load_parameters("von_alfthan_2003", "none"), 1)  # the cell is too small for its repulsion
    engine.relax(0.01, 2000)
    atoms = Atoms(ideal.species.tolist(), engine.atoms.position, cell=ideal.cell, pbc=True)
    atoms.info["bonds"] = ideal.bonds
    return atoms, engine.energy


def shape(method: str, cells: list[tuple[Any, float]], energies: list[float]) -> Rows:
    """Return the rows of one method: the density of the lowest energy, and the geometry of the cell nearest to it."""
    from moxie.features.networks import bond_angles
    from moxie.structures.network import make_network

    lowest = int(np.clip(np.argmin(energies), 1, len(energies) - 2))
    near = slice(lowest - 1, lowest + 2)
    volumes = 1 / np.array(DENSITIES_G_CM3)
    curve = np.polyfit(volumes[near], energies[near], 2)
    density = float(-2 * curve[0] / curve[1])
    atoms = cells[int(np.argmin(np.abs(np.array(DENSITIES_G_CM3) - density)))][0]
    network = make_network(
        atoms.positions, np.array(atoms.get_chemical_symbols()), atoms.info["bonds"], atoms.cell.lengths()
    )
    angles = bond_angles(network)
    lengths = np.linalg.norm(network.vectors(network.bonds[:, 0], network.bonds[:, 1]), axis=1)
    values = (
        ("silica_density_g_cm3", density, "g/cm3"),
        ("silica_si_o_length_A", float(lengths.mean()), "A"),
        ("silica_si_o_si_angle_deg", float(angles["Si-O-Si"].mean()), "degree"),
        ("silica_o_si_o_spread_deg", float(angles["O-Si-O"].std()), "degree"),
    )
    return [row(name, method, len(atoms), [value], unit, "cristobalite, disordered") for name, value, unit in values]
