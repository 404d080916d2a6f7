"""The table of single molecules."""

from moxie.features.schemas.columns import count, maybe, text
from moxie.features.schemas.table import Column, Table

MOLECULES = Table(
    "molecules",
    "Single molecules from semi-empirical quantum chemistry.",
    ("list", "molecule"),
    (
        text("list", "list that the molecule stands in; named for those that the configuration names one by one"),
        text("molecule", "name of the molecule in its list"),
        text("smiles", "SMILES of the molecule"),
        maybe("logP_measured", "1", "measured octanol-water partition coefficient, decadic logarithm, from the list"),
        Column("charge", "int", "e", "total charge", -20, 20),
        Column("spin_multiplicity", "int", "1", "2S + 1 of the calculation; 0 where there is no structure", 0, 20),
        count("n_atoms", "atoms, hydrogens included; 0 where there is no structure"),
        text("method", "quantum-chemical method"),
        text("status", "ok, or the reason why there is no result: failed, or changed into another molecule"),
        text("remarks", "what is to be known of a result, for example of the spin of a metal; empty if nothing"),
        maybe("energy_eV", "eV", "total energy, without the electrons' entropy"),
        maybe(
            "electronic_entropy_eV", "eV", "T S of the electrons at 300 K; energy_eV less this is the free energy", 0.0
        ),
        maybe("dipole_D", "debye", "dipole moment; of an ion, about its centre of mass", 0.0, 1e3),
        maybe("homo_eV", "eV", "energy of the highest occupied orbital; empty without valence electrons", -1e3, 1e3),
        maybe("lumo_eV", "eV", "energy of the lowest empty orbital; empty if every orbital is full", -1e3, 1e3),
        maybe("gap_eV", "eV", "lumo_eV - homo_eV", -1e-9, 1e3),
        maybe("max_force_eV_A", "eV/angstrom", "largest force on an atom at the end of the optimisation", 0.0),
        Column("n_steps", "int", "1", "steps of the geometry optimisation", 0),
        maybe("solvation_water_eV", "eV", "free energy of solvation in water, ALPB, 1 mol/l to 1 mol/l"),
        maybe("solvation_octanol_eV", "eV", "free energy of solvation in dry octanol, ALPB, 1 mol/l to 1 mol/l"),
        maybe("solvation_wet_octanol_eV", "eV", "the same in octanol saturated with water"),
        text("density_functional", "functional/basis of the columns dft_; empty without"),
        maybe("dft_energy_eV", "eV", "total energy of the density functional at the same geometry"),
        maybe("dft_dipole_D", "debye", "its dipole moment; of an ion, about its centre of mass", 0.0, 1e3),
        Column("charges", "list<float>", "e", "Mulliken charge of every atom; empty list without a result"),
        Column("symbols", "list<str>", "", "element of every atom"),
    ),
)
