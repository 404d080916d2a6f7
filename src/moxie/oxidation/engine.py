"""The Monte Carlo engine: a network, a field and a random stream behind a few plain methods."""

from dataclasses import dataclass

import numpy as np

from moxie.errors import InputError
from moxie.oxidation import moves, sampler
from moxie.oxidation.energy import Energy, full_energy
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.random_stream import seed_stream, uniform
from moxie.oxidation.state import FREE, SKIN, Atoms, make_atoms, make_bins, make_field, make_scratch
from moxie.structures.network import Network, make_network

ENERGY_DRIFT_EV = 1e-8


class SamplerError(RuntimeError):
    """The chain's book-keeping broke: a defect, never a user's mistake."""


@dataclass(frozen=True)
class Rejection:
    """How a move is relaxed and when it is given up; one entry per stage, the last one decides.

    shells: bond shells around the move that relax. kill_c: c of E - c |F|^2 in A^2/eV (negative: only the energy at
    the stage's end counts). switch, hop: (length in A, margin in eV) of what a later stage may still gain at the end
    of a stage: margin + length * |change of the force on the fixed atoms around|. force_tolerance_eV_A, max_steps: end
    of the stage. repulsion: whether it counts; where it does not, the old repulsion of the move's own atoms is added
    to the threshold. The numbers were chosen in shadow mode; `docs/theory/oxidation.md` gives the false-kill rates.
    """

    shells: tuple[int, ...] = (0, 1, 3, 6)
    kill_c: tuple[float, ...] = (-1.0, -1.0, 0.6, 0.6)
    switch: tuple[tuple[float, float], ...] = ((1.0, 3.0), (0.3, 5.0), (0.2, 1.5), (0.0, 0.0))
    hop: tuple[tuple[float, float], ...] = ((0.2, 1.2), (0.0, 1.2), (0.0, 0.7), (0.0, 0.0))
    force_tolerance_eV_A: tuple[float, ...] = (1.0, 0.5, 0.3, 0.03)
    max_steps: tuple[int, ...] = (10, 14, 20, 200)
    repulsion: tuple[bool, ...] = (False, False, False, True)

    def table(self) -> np.ndarray:
        """Return the stage table of the compiled sampler, shape (stages, 9)."""
        columns = (self.shells, self.kill_c, self.force_tolerance_eV_A, self.max_steps, self.repulsion)
        return np.hstack([np.array(columns, float).T, np.array(self.switch, float), np.array(self.hop, float)])


@dataclass(frozen=True)
class Tally:
    """What a batch of moves did."""

    attempts: int
    valid: int
    accepted: int
    hops_valid: int
    hops_accepted: int
    evaluations: int
    false_kills: int
    shadow_accepted: int
    reached: tuple[int, ...]


class Engine:
    """A network under Monte Carlo.

    Raises InputError when the parameter set lacks an element of the network, when the network is not periodic in x
    and y, or when the cell is too small for the repulsion's range.
    """

    def __init__(
        self,
        network: Network,
        parameters: ParameterSet,
        seed: int = 0,
        rejection: Rejection | None = None,
        stream: np.ndarray | None = None,
    ):
        missing = sorted(set(network.species.tolist()) - set(parameters.elements))
        if missing:
            raise InputError(f"The parameter set `{parameters.name}` has no parameters for {', '.join(missing)}.")
        if not network.periodic[:2].all():
            raise InputError("The Monte Carlo needs a network that is periodic in x and y.")
        self.parameters = parameters
        self.field = make_field(parameters)
        self.rejection = rejection or Rejection()
        self._stages = self.rejection.table()
        self.info = dict(network.info)
        self._full_cell = network.cell.copy()
        self._periodic = network.periodic.copy()
        self._check_reach(self._full_cell)
        self._set_atoms(make_atoms(network, seed_stream(seed) if stream is None else stream.copy()))
        self.energy = self.energy_terms().total

    def _set_atoms(self, atoms: Atoms) -> None:
        self.atoms = atoms
        self.bins = make_bins(atoms, self.field, self._full_cell)
        self.work = make_scratch(len(atoms.position))
        self.work.trial[:] = atoms.position
        self.mobile = np.flatnonzero(~atoms.frozen).astype(np.int32)

    def _check_reach(self, cell: np.ndarray) -> None:
        reach = max(max(row) for row in self.parameters.repulsion.range_A)
        shortest = float(cell[self._periodic].min())
        if reach > 0 and shortest < 2 * (reach + SKIN):
            raise InputError(
                f"The shortest periodic edge is {shortest:.2f} A; the repulsion of `{self.parameters.name}` needs at "
                f"least {2 * (reach + SKIN):.2f} A. Use a larger cell."
            )

    @property
    def oxygens(self) -> np.ndarray:
        """Numbers of the mobile O atoms, int32."""
        return np.flatnonzero((self.atoms.species == 1) & ~self.atoms.frozen).astype(np.int32)

    @property
    def silicons(self) -> np.ndarray:
        """Numbers of the mobile Si atoms, int32."""
        return np.flatnonzero((self.atoms.species == 0) & ~self.atoms.frozen).astype(np.int32)

    def oxidation_states(self) -> np.ndarray:
        """Return the number of O neighbours of every Si and -1 for O, shape (n,)."""
        near = self.atoms.neighbours
        states = ((near >= 0) & (self.atoms.species[near] == 1)).sum(axis=1)
        return np.where(self.atoms.species == 1, -1, states)

    def energy_terms(self) -> Energy:
        """Compute the whole energy anew, term by term."""
        result = full_energy(self.atoms, self.field, self.bins, self.work)
        self._check_overflow()
        return result

    def drift(self) -> float:
        """Return the running energy minus its full recomputation in eV; SamplerError beyond 1e-8 eV."""
        drift = self.energy - self.energy_terms().total
        if not abs(drift) <= ENERGY_DRIFT_EV:
            raise SamplerError(f"The running energy is off by {drift:.3e} eV from its full recomputation.")
        return drift

    def check_energy(self) -> float:
        """Return `drift` and set the running energy to the recomputed one."""
        drift = self.drift()
        self.energy -= drift
        return drift

    def set_state(
        self,
        position: np.ndarray,
        neighbours: np.ndarray,
        species: np.ndarray,
        frozen: np.ndarray,
        stream: np.ndarray,
        energy: float,
    ) -> None:
        """Continue from a saved state; the arrays are those of `atoms`, the order of neighbours included."""
        degree = (neighbours >= 0).sum(axis=1).astype(np.int32)
        self._set_atoms(
            Atoms(
                position.copy(),
                neighbours.copy(),
                degree,
                species.copy(),
                frozen.copy(),
                self.atoms.cell,
                stream.copy(),
            )
        )
        self.energy = energy
        self.drift()

    @property
    def cell(self) -> np.ndarray:
        """Edge lengths of the cell in angstrom, (3,)."""
        return self._full_cell.copy()

    def set_cell(self, cell: np.ndarray) -> None:
        """Change the cell's edges (angstrom, (3,)); positions scale with them and the energy is computed anew.

        Raises InputError when the new cell is not positive or too small for the repulsion's range.
        """
        cell = np.array(cell, float).reshape(3)
        if not (np.isfinite(cell).all() and (cell > 0).all()):
            raise InputError(f"The cell edges {cell.tolist()} must be positive and finite.")
        self._check_reach(cell)
        self.atoms.position[:] *= cell / self._full_cell
        self._full_cell = cell
        self.atoms.cell[:] = np.where(self._periodic, cell, FREE)
        self._set_atoms(self.atoms)
        self.energy = self.energy_terms().total

    def relax(self, force_tolerance_eV_A: float = 0.01, max_steps: int = 500) -> bool:
        """Relax all mobile atoms; return whether the force tolerance was reached."""
        change, status = sampler.relax_all(
            self.atoms, self.field, self.bins, self.work, self.mobile, force_tolerance_eV_A, max_steps
        )
        self._check_overflow()
        self.energy += change
        return status == 0

    def run(
        self,
        n_moves: int,
        kT_eV: float,
        hop_fraction: float = 0.0,
        active: np.ndarray | None = None,
        shadow: bool = False,
    ) -> Tally:
        """Try `n_moves` Metropolis moves at kT.

        A share `hop_fraction` are oxygen hops, the others bond switches started from the Si in `active` (all mobile
        Si by default; fixed during the call, so that proposals stay symmetric). `shadow` relaxes given-up moves to
        the end and counts those that would have been accepted after all.
        """
        counts = np.zeros(sampler.TALLY_SIZE, np.int64)
        chosen = self.silicons if active is None else np.asarray(active, np.int32)
        sampler.start(self.atoms, self.field, self.bins, self.work)
        self.energy += sampler.run_moves(
            self.atoms,
            self.field,
            self.bins,
            self.work,
            self._stages,
            n_moves,
            kT_eV,
            hop_fraction,
            chosen,
            self.oxygens,
            shadow,
            counts,
        )
        self._check_overflow()
        values = [int(value) for value in counts]
        n_stages = len(self._stages)
        return Tally(
            attempts=values[sampler.ATTEMPTS],
            valid=values[sampler.VALID],
            accepted=values[sampler.ACCEPTED],
            hops_valid=values[sampler.HOPS_VALID],
            hops_accepted=values[sampler.HOPS_ACCEPTED],
            evaluations=values[sampler.EVALUATIONS],
            false_kills=values[sampler.FALSE_KILLS],
            shadow_accepted=values[sampler.SHADOW_ACCEPTED],
            reached=tuple(values[sampler.REACHED : sampler.REACHED + n_stages]),
        )

    def insert_oxygen(self, i: int, j: int) -> int:
        """Insert an O into the Si-Si bond i-j, at its middle; return the new atom's number.

        Nothing is relaxed. Raises InputError when i and j are not two mobile bonded Si.
        """
        atoms = self.atoms
        pair = (i, j)
        if any(atoms.species[k] != 0 or atoms.frozen[k] for k in pair) or not moves.bonded(atoms, i, j):
            raise InputError(f"Atoms {i} and {j} are not two mobile Si with a bond; no O can be inserted.")
        separation = atoms.position[j] - atoms.position[i]
        separation -= atoms.cell * np.round(separation / atoms.cell)
        middle = atoms.position[i] + 0.5 * separation
        new = Atoms(
            np.vstack([atoms.position, middle]),
            np.vstack([atoms.neighbours, np.full((1, 4), -1, np.int32)]),
            np.append(atoms.degree, np.int32(0)),
            np.append(atoms.species, np.int32(1)),
            np.append(atoms.frozen, False),
            atoms.cell,
            atoms.stream,
        )
        oxygen = len(atoms.position)
        moves.insert_oxygen(new, oxygen, i, j)
        self._set_atoms(new)
        self.energy = self.energy_terms().total
        return oxygen

    def remove_oxygen(self, oxygen: int) -> None:
        """Take a mobile bridging O out (Si-O-Si becomes Si-Si); atoms after it move up by one number."""
        atoms = self.atoms
        if atoms.species[oxygen] != 1 or atoms.frozen[oxygen] or atoms.frozen[atoms.neighbours[oxygen, :2]].any():
            raise InputError(f"Atom {oxygen} is not a mobile O between mobile Si; it cannot be removed.")
        moves.remove_oxygen(atoms, oxygen)
        keep = np.arange(len(atoms.position)) != oxygen
        neighbours = atoms.neighbours[keep].copy()
        neighbours[neighbours > oxygen] -= 1
        self._set_atoms(
            Atoms(
                atoms.position[keep].copy(),
                neighbours,
                atoms.degree[keep].copy(),
                atoms.species[keep].copy(),
                atoms.frozen[keep].copy(),
                atoms.cell,
                atoms.stream,
            )
        )
        self.energy = self.energy_terms().total

    def draw(self) -> float:
        """Draw a number uniform in [0, 1) from the chain's stream."""
        return float(uniform(self.atoms.stream))

    def bonds(self) -> np.ndarray:
        """Return the bonds, each once, (m, 2)."""
        rows = np.repeat(np.arange(len(self.atoms.position)), 4)
        ends = self.atoms.neighbours.ravel()
        keep = ends > rows
        return np.stack([rows[keep], ends[keep]], axis=1).astype(np.int64)

    def to_network(self) -> Network:
        """Return the present state as a Network."""
        return make_network(
            self.atoms.position,
            np.where(self.atoms.species == 1, "O", "Si"),
            self.bonds(),
            self._full_cell,
            self._periodic,
            self.atoms.frozen,
            self.info,
            label="Monte Carlo state",
            arrays=self.atom_shares(),
        )

    def atom_shares(self) -> dict[str, np.ndarray]:
        """Return each atom's share of the energy (energy_eV) and of the lateral virial (lateral_virial_eV, tension
        positive: the mean of dE/d(strain) along x and y)."""
        energy = self.energy_terms()
        virial = energy.atom_virial
        return {"energy_eV": energy.atom_energy, "lateral_virial_eV": 0.5 * (virial[:, 0, 0] + virial[:, 1, 1])}

    def _check_overflow(self) -> None:
        if self.work.counters[5] != 0:
            raise SamplerError("The network collapsed: more atoms near each other than any sound network has.")
