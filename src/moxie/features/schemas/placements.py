"""Tables of oxygen placed on the bonds of a crystal: relaxed energies, and searches for the lowest."""

from moxie.features.schemas.columns import count, number, text
from moxie.features.schemas.table import Column, Table

PLACEMENTS = Table(
    "placements",
    "Relaxed energies of oxygen placed on the bonds of a silicon crystal of 16 atoms, one row per distinct placement.",
    ("n_oxygen", "placement"),
    (
        Column("n_oxygen", "int", "1", "oxygen atoms in the cell", 0, 32),
        text(
            "placement", "bonds that hold an O, as a mask of 32 bits in hexadecimal; the least of all equivalent ones"
        ),
        count("multiplicity", "placements that symmetry makes equivalent to this one, itself included", 1),
        *(
            count(f"pair_{k}", f"pairs of O of kind {k} by symmetry, from the closest (kind 1 shares a Si)")
            for k in range(1, 7)
        ),
        *(count(f"triplet_{k}", f"triplets of O of kind {k} by symmetry, from the closest") for k in range(1, 25)),
        number("energy_eV", "eV", "relaxed energy of the cell of 16 Si without pressure; 0 without oxygen", -1e4, 1e4),
        number("edge_strain", "1", "relaxed edge of the cell against that of the crystal, minus one", -0.5, 0.5),
        text("parameter_set", "name of the energy parameters"),
    ),
)

SEARCHES = Table(
    "searches",
    "Searches for the placement of O of lowest energy: a row wherever a search found something lower, and at its end.",
    ("method", "seed", "relaxations"),
    (
        text("method", "name of the search"),
        count("seed", "number of the repetition, from 0"),
        count("relaxations", "relaxations of unique orbits spent so far", 1),
        number("best_energy_eV", "eV", "lowest relaxed energy so far, per searched cell"),
    ),
)
