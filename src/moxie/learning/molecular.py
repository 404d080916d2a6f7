"""What a model can know about a molecule: descriptors of its graph, quantum chemistry, scaffold and neighbours.

Columns are floats; a block is a set of columns that says one kind of thing and is permuted together for importance.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from moxie.constants import BOLTZMANN_EV_K
from moxie.errors import InputError

# from the table `molecules`; the charges are summarised
QUANTUM_COLUMNS = (
    "solvation_water_eV",
    "solvation_octanol_eV",
    "solvation_wet_octanol_eV",
    "dipole_D",
    "homo_eV",
    "lumo_eV",
    "charges",
    "symbols",
)
ATOM_TYPE = "atom_type_"  # begins the columns that count atoms of a type of Wildman and Crippen
ACYCLIC_CLASSES = {  # functional classes in the order of precedence of their names (IUPAC 2013, P-41), then the rest
    "acid": "[CX3,S,P](=O)[OX2H1]",
    "ester": "[CX3,S,P](=O)[OX2][#6]",
    "amide": "[CX3,S,P](=[O,S])[NX3]",
    "nitrile": "C#N",
    "aldehyde": "[CX3H1,CX3H2]=O",
    "ketone": "[#6][CX3](=O)[#6]",
    "alcohol": "[CX4][OX2H1]",
    "thiol": "[SX2H1]",
    "amine": "[NX3;!$(N~[O,N])]",
    "nitro": "[$([NX3](=O)=O),$([NX3+](=O)[O-]),$(ON=O)]",
    "ether": "[#6][OX2][#6]",
    "sulphide": "[#6][SX2][#6,S]",
    "halide": "[#6][F,Cl,Br,I]",
    "alkyne": "C#C",
    "alkene": "C=C",
    "alkane": "[#6]",
}
_KT_LN10_EV = BOLTZMANN_EV_K * 298.15 * float(np.log(10))
_RDKIT = (
    "MolWt MolMR TPSA LabuteASA NumHDonors NumHAcceptors NumRotatableBonds RingCount NumAromaticRings "
    "NumAliphaticRings FractionCSP3 HeavyAtomCount NumHeteroatoms NHOHCount NOCount"
).split()


def parse(smiles: str) -> Any:
    """Return the rdkit molecule of a SMILES, or None if it cannot be read."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles else None
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


def canonical(smiles: str) -> str:
    """Return the canonical SMILES of a molecule without its stereochemistry, which logP hardly feels."""
    from rdkit import Chem

    return Chem.MolToSmiles(_parsed(smiles), isomericSmiles=False)


def scaffold(smiles: str) -> str:
    """Return the group of a molecule: its Bemis-Murcko scaffold as SMILES (rings and the chains between them), or,
    where it has no ring, "acyclic" and the first of ACYCLIC_CLASSES that it has."""
    from rdkit.Chem.Scaffolds import MurckoScaffold

    molecule = _parsed(smiles)
    rings = MurckoScaffold.MurckoScaffoldSmiles(mol=molecule)
    if rings:
        return rings
    return next((f"acyclic {name}" for name, p in _class_patterns() if molecule.HasSubstructMatch(p)), "acyclic, other")


@cache
def _class_patterns() -> list[tuple[str, Any]]:
    from rdkit import Chem

    return [(name, Chem.MolFromSmarts(smarts)) for name, smarts in ACYCLIC_CLASSES.items()]


def crippen_logP(smiles: str) -> float:
    """Return the logP of Wildman and Crippen, J. Chem. Inf. Comput. Sci. 39, 868 (1999): a sum over atoms."""
    from rdkit.Chem import rdMolDescriptors

    return float(rdMolDescriptors.CalcCrippenDescriptors(_parsed(smiles))[0])


def descriptors(smiles: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the descriptors of the molecular graph, each of shape (n_molecules,).

    Sizes, surfaces and counts of rdkit, and how many atoms there are of each atom type of Wildman and Crippen (the
    types, not their contributions to logP, which were fitted to measured values).
    """
    from rdkit import Chem
    from rdkit.Chem import Descriptors, rdMolDescriptors

    functions = dict(Descriptors.descList)
    molecules = [_parsed(text) for text in smiles]
    columns = {name: np.array([float(functions[name](m)) for m in molecules]) for name in _RDKIT}
    counts = []
    for molecule in molecules:
        whole = Chem.AddHs(molecule)
        labels, numbers = [""] * whole.GetNumAtoms(), [0] * whole.GetNumAtoms()
        rdMolDescriptors._CalcCrippenContribs(whole, False, numbers, labels)
        counts.append(Counter(labels))
    for label in sorted({label for count in counts for label in count}):
        columns[f"{ATOM_TYPE}{label}"] = np.array([float(count[label]) for count in counts])
    return columns


def atom_type(column: str) -> str:
    """Return the atom type that a column counts, in words; some atoms, selenium for one, have none."""
    return column.removeprefix(ATOM_TYPE) or "(none known)"


def quantum_features(frame: Any) -> dict[str, np.ndarray]:
    """Return features from rows of the table `molecules`, each of shape (n_rows,).

    Solvation free energies and the logP that follows from them, logP = (G_water - G_octanol) / (kT ln 10) at 298.15 K,
    the dipole moment, the frontier orbitals (0 where a molecule has none), and summaries of the Mulliken charges.
    """
    water, dry, wet = (frame[f"solvation_{name}_eV"].to_numpy(float) for name in ("water", "octanol", "wet_octanol"))
    charges = [np.asarray(values, dtype=float) for values in frame["charges"]]
    hydrogen = [np.array([symbol == "H" for symbol in symbols], dtype=bool) for symbols in frame["symbols"]]

    def each(summary: Any) -> np.ndarray:
        return np.array([float(summary(q, h)) for q, h in zip(charges, hydrogen, strict=True)])

    return {
        "solvation_water": water / _KT_LN10_EV,
        "solvation_octanol": dry / _KT_LN10_EV,
        "solvation_wet_octanol": wet / _KT_LN10_EV,
        "logP_alpb": (water - dry) / _KT_LN10_EV,
        "logP_alpb_wet": (water - wet) / _KT_LN10_EV,
        "dipole_D": frame["dipole_D"].to_numpy(float),
        "homo_eV": frame["homo_eV"].fillna(0.0).to_numpy(float),
        "lumo_eV": frame["lumo_eV"].fillna(0.0).to_numpy(float),
        "charge_lowest": each(lambda q, h: q.min()),
        "charge_highest": each(lambda q, h: q.max()),
        "charge_absolute_sum": each(lambda q, h: np.abs(q).sum()),
        "charge_negative_squares": each(lambda q, h: (q[q < 0] ** 2).sum()),
        "charge_acidic_hydrogen": each(lambda q, h: q[h].max() if h.any() else 0.0),
        "charge_polar_hydrogens": each(lambda q, h: np.clip(q[h] - 0.1, 0, None).sum()),
    }


def fingerprints(smiles: Sequence[str]) -> list[Any]:
    """Return Morgan fingerprints of radius 2 as rdkit bit vectors."""
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    return [generator.GetFingerprint(_parsed(text)) for text in smiles]


def nearest_similarity(queries: Sequence[Any], training: Sequence[Any]) -> np.ndarray:
    """Return the largest Tanimoto similarity of each fingerprint to the training set's, in [0, 1]."""
    from rdkit import DataStructs

    if not training:
        return np.zeros(len(queries))
    return np.array([max(DataStructs.BulkTanimotoSimilarity(query, list(training))) for query in queries])


def _parsed(smiles: str) -> Any:
    molecule = parse(smiles)
    if molecule is None:
        raise InputError(f"{smiles!r} is not a SMILES that rdkit can read.")
    return molecule
