"""The conformer that a molecule starts from: several by distance geometry, the lowest by a molecular force field."""

from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.structures.crowding import crowded_centres
from moxie.structures.overlaps import overlapping, spread

_MOST_CANDIDATES, _MOST_CANDIDATE_ATOMS = 20, 1000
_ATTEMPTS = 3  # seeds, before a molecule is given up
_MOST_ITERATIONS = 30  # of distance geometry for each conformer
_TIME_LIMIT_S = 60  # for each conformer; most take milliseconds
_OPTIMISER_STEPS = 1000
_OTHER_STARTS = 4
_OFF_SADDLES_A = 0.05  # what breaks the symmetry of a start


def lowest_conformer_A(molecule: Any, seed: int) -> np.ndarray:
    """Return the positions (n, 3), in angstrom, of the lowest of several conformers of an rdkit molecule.

    Raises InputError, to be read after the molecule's name, where nothing embeds within the limits on attempts and
    time, and where atoms overlap in all that do.
    """
    if molecule.GetNumAtoms() == 1:
        return np.zeros((1, 3))
    overlapped = False
    for attempt in range(_ATTEMPTS):
        candidates = _candidates(molecule, (seed + attempt) % 2**31, random_start=attempt > 0)
        if not candidates:
            continue
        _, positions = min(candidates, key=lambda candidate: candidate[0])
        if np.isfinite(positions).all() and not _overlapping(molecule, positions):
            return positions
        overlapped = True
    if overlapped:
        raise InputError(
            "has overlapping atoms in every start geometry that is found, and no force field to part them."
        )
    raise InputError(
        f"has no three-dimensional conformer that distance geometry finds in {_ATTEMPTS} attempts of at most"
        f" {_TIME_LIMIT_S} s. Check its stereochemistry and rings."
    )


def other_starts_A(molecule: Any, positions_A: np.ndarray, seed: int) -> list[np.ndarray]:
    """Return more start geometries (n, 3) of a molecule with crowded centres, none of any other.

    Which of the places around a centre are lone pairs', and whether they take one at all, no force field knows: the
    geometry is that of the lowest energy among what relaxes from these and from the positions given.
    """
    counts = crowded_centres(molecule)
    starts = []
    for number in range(_OTHER_STARTS if counts else 0):
        centres = {atom: each[number % len(each)] for atom, each in counts.items()}
        positions = spread(*_graph(molecule), positions_A, centres, (seed + number) % 2**31)
        noise = np.random.default_rng(seed + number).normal(0, _OFF_SADDLES_A, positions.shape)
        starts.append(np.round(positions + noise, 4))
    return [start for start in starts if not _overlapping(molecule, start)]


def _candidates(molecule: Any, seed: int, random_start: bool) -> list[tuple[float, np.ndarray]]:
    """Return conformers with their energies; without a force field, in the order in which they were found."""
    from rdkit import rdBase
    from rdkit.Chem import rdDistGeom, rdMolDescriptors

    wanted = 3 + 3 * rdMolDescriptors.CalcNumRotatableBonds(molecule)
    count = max(1, min(_MOST_CANDIDATES, wanted, _MOST_CANDIDATE_ATOMS // molecule.GetNumAtoms()))
    settings: Any = rdDistGeom.ETKDGv3()
    settings.randomSeed = seed
    settings.numThreads = 1
    settings.maxIterations = _MOST_ITERATIONS
    settings.timeout = _TIME_LIMIT_S
    settings.useRandomCoords = random_start
    with rdBase.BlockLogs():
        rdDistGeom.EmbedMultipleConfs(molecule, count, settings)
        if not molecule.GetNumConformers():  # after a time-out it returns the number -1, not nothing
            return []
        for number, conformer in enumerate(list(molecule.GetConformers())):  # MMFF stumbles over gaps in the numbers
            conformer.SetId(number)
        centres = {atom: counts[0] for atom, counts in crowded_centres(molecule).items()}
        energies = None if centres else _optimise(molecule)
    positions = [np.array(conformer.GetPositions()) for conformer in molecule.GetConformers()]
    if energies is not None:
        good = [pair for pair in zip(energies, positions, strict=True) if not _overlapping(molecule, pair[1])]
        return good or list(zip(energies, positions, strict=True))
    first = positions[0]  # nothing tells which is the lowest
    return [(0.0, spread(*_graph(molecule), first, centres) if centres or _overlapping(molecule, first) else first)]


def _optimise(molecule: Any) -> list[float] | None:
    """Relax all conformers; return their energies, or None where no force field has the parameters."""
    from rdkit.Chem import rdForceFieldHelpers as fields

    if fields.MMFFHasAllMoleculeParams(molecule):
        results = fields.MMFFOptimizeMoleculeConfs(
            molecule, mmffVariant="MMFF94s", maxIters=_OPTIMISER_STEPS, numThreads=1
        )
    elif fields.UFFHasAllMoleculeParams(molecule):
        results = fields.UFFOptimizeMoleculeConfs(molecule, maxIters=_OPTIMISER_STEPS, numThreads=1)
    else:
        return None
    return [energy for _, energy in results]


def _overlapping(molecule: Any, positions_A: np.ndarray) -> bool:
    return overlapping(*_graph(molecule), positions_A)


def _graph(molecule: Any) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the atomic numbers and the bonds of a molecule."""
    numbers = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
    return numbers, [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
