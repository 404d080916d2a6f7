"""A molecule's CAS registry number, by which the compilations in `chemicals` are sorted."""

from functools import cache

from moxie.reference.identifiers import find_by_inchi_key
from moxie.reference.registry import canonical_smiles


@cache
def inchi_key(smiles: str) -> str:
    """Return the InChIKey of a molecule: the same for every way of writing its SMILES."""
    from rdkit import Chem

    return Chem.MolToInchiKey(Chem.MolFromSmiles(canonical_smiles(smiles)))


@cache
def registry_number(smiles: str) -> str | None:
    """Return the registry number of a molecule, or None where `chemicals` does not know it.

    By its InChIKey: SMILES are compared there letter by letter, and there are many for one molecule.
    """
    found = find_by_inchi_key(inchi_key(smiles))
    return found.registry_number if found else None
