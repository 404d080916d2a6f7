"""Small tables made from known functions, for tests only: what goes in is known, so what comes out can be checked."""

import numpy as np
import pandas as pd
from made_liquids import dihedral_curves, electrolytes, liquids, rdf_curves, settings_study, transport, transport_curves
from made_oxides import (
    FROM_DISORDER,
    growth_curves,
    oxide_bulk,
    oxide_equilibrium,
    oxide_profiles,
    oxide_rdf,
    oxide_runs,
    oxide_sites,
    oxide_structure_factors,
)

from moxie.features.schemas import TABLES


def molecules():
    rows = [
        ("water", "O", 0, 2.217, ["O", "H", "H"]),
        ("methanol", "CO", 0, 1.915, ["C", "O", "H", "H", "H", "H"]),
        ("lithium", "[Li+]", 1, 0.0, ["Li"]),
    ]
    return pd.DataFrame(
        [
            {
                "list": "named",
                "molecule": name,
                "smiles": smiles,
                "logP_measured": np.nan,
                "solvation_water_eV": -0.3,
                "solvation_octanol_eV": -0.25,
                "solvation_wet_octanol_eV": -0.26,
                "density_functional": "",
                "dft_energy_eV": np.nan,
                "dft_dipole_D": np.nan,
                "charge": charge,
                "spin_multiplicity": 1,
                "n_atoms": len(symbols),
                "method": "GFN2-xTB",
                "status": "ok",
                "remarks": "",
                "electronic_entropy_eV": 0.0,
                "energy_eV": -138.0,
                "dipole_D": dipole,
                "homo_eV": -12.1,
                "lumo_eV": 2.2,
                "gap_eV": 14.3,
                "max_force_eV_A": 0.006,
                "n_steps": 5,
                "charges": [charge / len(symbols)] * len(symbols),
                "symbols": symbols,
            }
            for name, smiles, charge, dipole, symbols in rows
        ]
    )


def measured_molecules(seed=2):
    """A list with measured logP, made from a known truth: the solvation model is wrong by 0.2 for each carbon."""
    from rdkit import Chem

    rng = np.random.default_rng(seed)
    cores = ("C{}", "c1ccccc1{}", "C1CCCCC1{}", "c1ccncc1{}", "C1CCCC1{}", "c1ccc2ccccc2c1{}", "C1CCOC1{}")
    tails = ("", "C", "CC", "O", "CO", "N", "C#N")
    rows = []
    for smiles in (core.format(tail) for core in cores for tail in tails):
        molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
        symbols = [atom.GetSymbol() for atom in molecule.GetAtoms()]
        carbons = symbols.count("C")
        polar = len([symbol for symbol in symbols if symbol in "NO"])
        water, wet = -0.05 - 0.2 * polar, -0.1 - 0.05 * carbons - 0.12 * polar
        logP = (water - wet) / 0.05916 + 0.2 * carbons - 0.5 + rng.normal(0, 0.05)
        charges = rng.normal(0, 0.01, len(symbols)) + np.array([-0.4 if s in "NO" else 0.02 for s in symbols])
        rows.append(
            {
                "list": "measured",
                "molecule": smiles,
                "smiles": smiles,
                "logP_measured": logP,
                "solvation_water_eV": water,
                "solvation_octanol_eV": wet + 0.01,
                "solvation_wet_octanol_eV": wet,
                "n_atoms": len(symbols),
                "dipole_D": 0.2 + polar,
                "charges": charges.tolist(),
                "symbols": symbols,
            }
        )
    rest = molecules().iloc[0].drop(list(rows[0])).to_dict()
    return pd.DataFrame([row | rest for row in rows])


def placements():
    """Energies that are exactly a sum over O and over pairs of O on one Si: all placements of up to 3 O, 40 of 4."""
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.placement.sites import make_sites
    from moxie.oxidation.placement.table import choose, describe

    sites = make_sites("si16", load_parameters("von_alfthan_2003"))
    frame = describe(sites, [orbit for n in range(5) for orbit in choose(sites, n, 40, 1)])
    return frame.assign(
        energy_eV=1.4 * frame["n_oxygen"] - 0.5 * frame["pair_1"] + 0.1 * frame["pair_3"],
        edge_strain=0.01 * frame["n_oxygen"],
        parameter_set="made_up",
    )


def site_environments(temperatures_K=(973.0, 1473.0, 1573.0)):
    """Three well-separated kinds of site, which are oxidation states 0, 2 and 4 of `mapped_sites`."""
    from moxie.learning.tasks.site_map.environments import COSINES, DISTANCES

    rng = np.random.default_rng(8)
    frames = []
    for temperature in temperatures_K:
        kind = np.arange(90) % 3
        near = np.array([2.35, 2.0, 1.62])[kind][:, None] + 0.01 * rng.standard_normal((90, 12))
        far = np.arange(12) * np.array([0.1, 0.2, 0.3])[kind][:, None]
        cosines = -0.33 + 0.05 * kind[:, None] + 0.005 * rng.standard_normal((90, 6))
        frame = pd.DataFrame(np.hstack([near + far, cosines]), columns=[*DISTANCES, *COSINES])
        frames.append(frame.assign(**FROM_DISORDER, temperature_K=temperature, replica=0, site=np.arange(90)))
    return pd.concat(frames, ignore_index=True)


def mapped_sites(temperatures_K=(973.0, 1473.0, 1573.0)):
    """The rows of `oxide_sites` that belong to `site_environments`; strain is noise."""
    rng = np.random.default_rng(9)
    base = oxide_sites(temperatures_K=(973.0,)).iloc[:1]
    frames = []
    for temperature in temperatures_K:
        rows = pd.concat([base] * 90, ignore_index=True)
        state = 2 * (np.arange(90) % 3)
        z = 0.3 * np.arange(90)
        rows = rows.assign(
            temperature_K=temperature, site=np.arange(90), element="Si", oxidation_state=state, frozen=False
        )
        rows = rows.assign(
            oxidation_state=state, x_A=rng.uniform(0, 15, 90), y_A=rng.uniform(0, 15, 90), z_A=z, depth_A=z - 15
        )
        frames.append(rows.assign(energy_eV=0.51 * (state == 2) + rng.uniform(0, 0.2, 90)))
    return pd.concat(frames, ignore_index=True)


MAKERS = {
    "liquids": liquids,
    "electrolytes": electrolytes,
    "transport": transport,
    "transport_curves": transport_curves,
    "settings_study": settings_study,
    "rdf_curves": rdf_curves,
    "dihedral_curves": dihedral_curves,
    "oxide_runs": oxide_runs,
    "oxide_sites": oxide_sites,
    "oxide_profiles": oxide_profiles,
    "oxide_rdf": oxide_rdf,
    "oxide_structure_factors": oxide_structure_factors,
    "oxide_bulk": oxide_bulk,
    "oxide_equilibrium": oxide_equilibrium,
    "growth_curves": growth_curves,
    "molecules": molecules,
}
assert set(MAKERS) <= set(TABLES)
