"""A molecule's CAS registry number, by which the compilations in `chemicals` are sorted."""

from functools import cache

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
    from chemicals import search_chemical

    key = inchi_key(smiles)
    try:
        found = search_chemical(f"InChIKey={key}")
    except (ValueError, KeyError):
        return None
    return found.CASs if found.InChI_key == key else None
