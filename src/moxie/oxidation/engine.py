"""The Monte Carlo engine: a network, a field and a random stream behind a few plain methods."""

from dataclasses import dataclass, replace

import numpy as np

from moxie.errors import InputError
from moxie.oxidation.arguments import check_batch, check_kT, is_whole, silicon_numbers
from moxie.oxidation.kernels import batch as counted
from moxie.oxidation.kernels import moves, sampler
from moxie.oxidation.kernels.batch import Batch, Catalogue, make_catalogue
from moxie.oxidation.kernels.energy import Energy, full_energy
from moxie.oxidation.kernels.moves import EXCHANGE, HOP
from moxie.oxidation.kernels.random_stream import seed_stream, uniform
from moxie.oxidation.kernels.slots import OVERFLOW
from moxie.oxidation.kernels.state import FREE, Atoms, make_atoms, make_bins, make_field, make_records, make_scratch
from moxie.oxidation.kernels.surrogate import SCREEN_COST, Surrogate, fit_surrogate
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.oxidation.rejection import (
    FAR_EV,
    FOLLOWED_EV,
    FURTHER_EV,
    SILICA_REJECTION,
    SILICON_REJECTION,
    Calibration,
    Rejection,
    acceptable,
    effective,
    false_kill_rate,
    fit,
    provisional,
)
from moxie.oxidation.tally import Tally
from moxie.structures.network import Network, make_network

ENERGY_DRIFT_EV = 1e-8
CALIBRATION_PASSES = 5


class SamplerError(RuntimeError):
    """The chain's book-keeping broke: a defect, never a user's mistake."""


@dataclass
class _Listing:
    """A catalogue and whose moves it lists."""

    active: np.ndarray
    oxygens: np.ndarray
    catalogue: Catalogue


class Engine:
    """A network under Monte Carlo.

    `rejection` sets how far a move relaxes and what is given up early; by default as far as the network's composition
    needs, and nothing is given up until `calibrate` has found when.

    `reserve` further O without bonds stand ready for exchange moves (see `run`): they have numbers after those of the
    network's atoms and no energy, and `to_network` leaves them out. Without `triangles` no bond switch closes a ring of
    three Si: networks that have none are then sampled among themselves, with detailed balance.
    Raises InputError when the parameter set lacks an element of the network or the reserve, when the network is not
    periodic in x and y, or when the cell is too small for the repulsion's range.
    """

    def __init__(
        self,
        network: Network,
        parameters: ParameterSet,
        seed: int = 0,
        rejection: Rejection | None = None,
        stream: np.ndarray | None = None,
        reserve: int = 0,
        triangles: bool = True,
    ):
        if not is_whole(reserve) or reserve < 0:
            raise InputError(f"reserve is {reserve}; the number of O in reserve must be a whole number, 0 or more.")
        present = {*network.species.tolist(), *(["O"] if reserve else [])}
        missing = sorted(present - set(parameters.elements))
        if missing:
            raise InputError(f"The parameter set `{parameters.name}` has no parameters for {', '.join(missing)}.")
        if not network.periodic[:2].all():
            raise InputError("The Monte Carlo needs a network that is periodic in x and y.")
        self.parameters = parameters
        self.field = make_field(parameters)
        self.visits = np.zeros((0, 2), np.uint64)  # see `Catalogue.visits`; of the last batch with a catalogue
        self._listing: _Listing | None = None
        self.set_rejection(rejection or (SILICA_REJECTION if "O" in present else SILICON_REJECTION))
        self.triangles = triangles
        self.surrogate: Surrogate | None = None
        self.info = dict(network.info)
        self._full_cell = network.cell.copy()
        self._periodic = network.periodic.copy()
        self._check_reach(self._full_cell)
        atoms = make_atoms(network, seed_stream(seed) if stream is None else stream.copy())
        self._set_atoms(_with_oxygen(atoms, np.zeros((int(reserve), 3))))
        self.energy = self.energy_terms().total

    def _set_atoms(self, atoms: Atoms) -> None:
        records, self.atoms = make_records(atoms)
        self._listing = None
        self.bins = make_bins(records, atoms, self.field, self._full_cell)
        self.work = make_scratch(records)
        self.work.trial[:] = atoms.position

    def _check_reach(self, cell: np.ndarray) -> None:
        self.parameters.check_edge(float(cell[self._periodic].min()))

    def _loose(self) -> np.ndarray:
        """Return which atoms are O in reserve, (n,) bool."""
        return (self.atoms.species == 1) & (self.atoms.degree == 0) & ~self.atoms.frozen

    @property
    def mobile(self) -> np.ndarray:
        """Numbers of the network's mobile atoms, int32."""
        return np.flatnonzero(~self.atoms.frozen & ~self._loose()).astype(np.int32)

    @property
    def oxygens(self) -> np.ndarray:
        """Numbers of the network's mobile O atoms, int32."""
        return np.flatnonzero((self.atoms.species == 1) & ~self.atoms.frozen & ~self._loose()).astype(np.int32)

    @property
    def n_oxygen(self) -> int:
        """Number of O in the network, those in reserve not counted."""
        return int(((self.atoms.species == 1) & ~self._loose()).sum())

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
        degree = (neighbours >= 0).sum(axis=1).astype(np.int8)
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
            self.atoms,
            self.field,
            self.bins,
            self.work,
            self.mobile,
            force_tolerance_eV_A,
            max_steps,
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
        exchange_fraction: float = 0.0,
        chemical_potential_eV: float = 0.0,
        catalogue: bool = False,
    ) -> Tally:
        """Try `n_moves` Metropolis moves at kT.

        A share `hop_fraction` are oxygen hops, a share `exchange_fraction` put an O from the reserve into a Si-Si bond
        or take one out, the others are bond switches. Si to start from are drawn from `active` (all mobile Si by
        default; fixed during the call, so that proposals stay symmetric). With `catalogue`, moves are drawn from a
        catalogue that leaves out the hopeless ones (see `kernels.catalogue`): the same chain in law, many times faster
        where few moves are accepted, and slower where many are; `valid` then counts the moves that were tried.
        Raises InputError for arguments out of range, and unless `active` holds the numbers of Si.
        """
        if catalogue and (exchange_fraction > 0 or self.surrogate is not None):
            raise InputError("A catalogue lists switches and hops only, and knows no surrogate.")
        log = np.zeros((0, 1))
        return self._run(
            n_moves, kT_eV, hop_fraction, active, exchange_fraction, chemical_potential_eV, log, 0.0, catalogue
        )

    def _run(
        self,
        n_moves: int,
        kT_eV: float,
        hop_fraction: float,
        active: np.ndarray | None,
        exchange_fraction: float,
        chemical_potential_eV: float,
        log: np.ndarray,
        cut_eV: float,
        catalogue: bool = False,
    ) -> Tally:
        check_batch(n_moves, kT_eV, hop_fraction, exchange_fraction, chemical_potential_eV)
        counts = np.zeros(counted.N_TALLY, np.int64)
        chosen = self.silicons if active is None else silicon_numbers(active, self.atoms.species)
        oxygens = self.oxygens
        if exchange_fraction > 0:  # a hop then draws from all O, so that its chance does not change on the way
            oxygens = np.flatnonzero((self.atoms.species == 1) & ~self.atoms.frozen).astype(np.int32)
        weights = np.array(self.surrogate.weights if self.surrogate and not len(log) else (), float)
        listing = self._list_moves(chosen, oxygens) if catalogue else self._list_nothing()
        listing.lost[0] = 0.0
        sampler.start(self.atoms, self.field, self.bins, self.work)
        batch = Batch(
            self._stages,
            float(kT_eV),
            float(hop_fraction),
            float(exchange_fraction),
            float(chemical_potential_eV),
            chosen,
            oxygens,
            self.triangles,
            weights,
            log,
            float(cut_eV),
            counts,
            listing,
        )
        self.energy += sampler.run_moves(self.atoms, self.field, self.bins, self.work, batch, int(n_moves))
        self._check_overflow()
        values = [int(value) for value in counts]
        valid = values[counted.VALID : counted.ACCEPTED]
        accepted = values[counted.ACCEPTED : counted.REACHED]
        return Tally(
            attempts=values[counted.ATTEMPTS],
            valid=sum(valid),
            accepted=sum(accepted),
            hops_valid=valid[HOP],
            hops_accepted=accepted[HOP],
            exchanges_valid=valid[EXCHANGE],
            exchanges_accepted=accepted[EXCHANGE],
            evaluations=values[counted.EVALUATED],
            logged=values[counted.LOGGED],
            false_kills=values[counted.FALSE_KILLS],
            screened=values[counted.SCREENED],
            bounds_missed=float(listing.lost[0]),
            reached=tuple(values[counted.REACHED : counted.REACHED + len(self._stages)]),
        )

    def _list_moves(self, active: np.ndarray, oxygens: np.ndarray) -> Catalogue:
        """Return the catalogue of the moves that these Si and O can make; the present one as long as it is theirs."""
        there = self._listing
        if there is None or not (np.array_equal(there.active, active) and np.array_equal(there.oxygens, oxygens)):
            made = make_catalogue(len(self.atoms.position), active, oxygens, self.visits)
            self._listing = there = _Listing(active.copy(), oxygens.copy(), made)
        there.catalogue = there.catalogue._replace(visits=self.visits)
        there.catalogue.counts[counted.N_VISITS] = 0
        return there.catalogue

    def _list_nothing(self) -> Catalogue:
        """Return a catalogue that lists nothing; positions change without it, so that the present one is given up."""
        self._listing = None
        nobody = np.zeros(0, np.int32)
        return make_catalogue(0, nobody, nobody, self.visits[:0])

    def listing_arrays(self) -> dict[str, np.ndarray]:
        """Return what a checkpoint must keep of the catalogue; nothing where there is none."""
        if self._listing is None:
            return {}
        held, listing = self._listing, self._listing.catalogue
        return {
            "listed_silicon": held.active,
            "listed_oxygen": held.oxygens,
            "listed_bound": listing.bound,
            "listed_times": listing.times,
            "listed_seen": listing.seen,
        }

    def restore_listing(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over the catalogue of `listing_arrays`, if there was one; after `set_state` and `set_rejection`."""
        self._listing = None
        if "listed_bound" in arrays:
            listing = self._list_moves(arrays["listed_silicon"], arrays["listed_oxygen"])
            listing.bound[:], listing.times[:] = arrays["listed_bound"], arrays["listed_times"]
            listing.seen[:] = arrays["listed_seen"]
            listing.counts[counted.BUILT] = 1

    def calibrate(
        self,
        kT_eV: float,
        hop_fraction: float = 0.0,
        active: np.ndarray | None = None,
        n_first: int = 300,
        n_followed: int = 500,
        earlier: np.ndarray | None = None,
        max_moves: int = 200_000,
    ) -> Calibration:
        """Find the constants of early rejection for the present network, use them, and return them.

        The moves are part of the chain. First n_first are followed to the end, all but the hopeless; then n_followed
        more, of those that constants fitted to the first do not rule out by far; max_moves ends either part. Half of
        them are hops and half switches, whatever their share (unless it is 0 or 1): switches that are acceptable are
        few beside the hops, and count for more. `earlier` is the log of another calibration with the same stages, to
        rest on both. Raises InputError for kT that is not positive, and when no move passes the topology filter.
        """
        check_kT(kT_eV)
        logs = [] if earlier is None else [earlier]
        tally = Tally()
        shares = (0.0, 1.0) if 0 < hop_fraction < 1 else (hop_fraction,)
        parts = len(shares) * CALIBRATION_PASSES
        self.set_rejection(provisional(self.rejection))
        for count, cut in ((n_first, FAR_EV), (n_followed, FOLLOWED_EV)):
            for share in shares * CALIBRATION_PASSES:  # in turn, so that each kind meets what the other has made
                log, done = self._follow(count // parts, kT_eV, share, active, cut, max_moves // parts)
                logs.append(log)
                tally += done
            if not sum(map(len, logs)):
                raise InputError("No move can be tried: the network allows none, or too few Si are active.")
            calibration = fit(self.rejection, np.vstack(logs), kT_eV)
            self.set_rejection(calibration.rejection)
        return replace(calibration, tally=tally)

    def learn_surrogate(
        self,
        kT_eV: float,
        hop_fraction: float = 0.0,
        active: np.ndarray | None = None,
        n_followed: int = 1000,
        max_moves: int = 200_000,
    ) -> Surrogate:
        """Fit a surrogate that screens moves before they are relaxed, use it from now on, and return it.

        The moves it learns from are part of the chain: n_followed are followed to the end, all but the hopeless.
        Sampling stays exact whatever was learnt (see `surrogate`). Raises InputError when no move could be followed.
        """
        check_kT(kT_eV)
        log, _ = self._follow(n_followed, kT_eV, hop_fraction, active, FAR_EV, max_moves)
        terms = log[:, counted.LOG_TERMS : counted.LOG_STAGES]
        cost = SCREEN_COST if self.rejection.rules else 0.0  # a move that always relaxes to the end costs far more
        self.surrogate = fit_surrogate(terms, log[:, counted.LOG_CHANGE], kT_eV, cost)
        return self.surrogate

    def measure_false_kills(
        self,
        kT_eV: float,
        hop_fraction: float = 0.0,
        active: np.ndarray | None = None,
        n_followed: int = 1000,
        max_moves: int = 200_000,
    ) -> tuple[float, float]:
        """Return the false-kill rate of the present constants and the effective number of moves it rests on.

        Follows moves (part of the chain) to the end, n_followed of those not ruled out by more than 2.5 eV. The rate is
        nan where none of them is acceptable. Raises InputError for kT that is not positive.
        """
        check_kT(kT_eV)
        log, _ = self._follow(n_followed, kT_eV, hop_fraction, active, FURTHER_EV, max_moves)
        weights = acceptable(log[:, counted.LOG_CHANGE], kT_eV)
        return false_kill_rate(self.rejection, log, kT_eV), effective(weights)

    def _follow(
        self,
        count: int,
        kT_eV: float,
        hop_fraction: float,
        active: np.ndarray | None,
        cut_eV: float,
        max_moves: int,
    ) -> tuple[np.ndarray, Tally]:
        """Run until `count` moves are followed and logged, or max_moves are tried; return their log, and what was
        done."""
        log = np.zeros((count, counted.LOG_STAGES + 3 * len(self._stages)))
        tally = self._run(max_moves if count else 0, kT_eV, hop_fraction, active, 0.0, 0.0, log, cut_eV)
        return log[: tally.logged], tally

    def set_rejection(self, rejection: Rejection) -> None:
        """Use other stages or constants of early rejection from now on."""
        self._listing = None
        self.rejection = rejection
        self._stages = rejection.table()

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
        self._set_atoms(_with_oxygen(atoms, middle[None]))
        oxygen = len(atoms.position)
        moves.insert_oxygen(self.atoms, oxygen, i, j)
        self.energy = self.energy_terms().total
        return oxygen

    def remove_oxygen(self, oxygen: int) -> None:
        """Take a mobile bridging O out (Si-O-Si becomes Si-Si); atoms after it move up by one number."""
        atoms = self.atoms
        bridges = atoms.species[oxygen] == 1 and atoms.degree[oxygen] == 2
        if not bridges or atoms.frozen[oxygen] or atoms.frozen[atoms.neighbours[oxygen, :2]].any():
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
        """Return the present state as a Network; O in reserve are left out, the atoms after them move up."""
        keep = ~self._loose()
        number = np.cumsum(keep) - 1
        return make_network(
            self.atoms.position[keep],
            np.where(self.atoms.species[keep] == 1, "O", "Si"),
            number[self.bonds()],
            self._full_cell,
            self._periodic,
            self.atoms.frozen[keep],
            self.info,
            label="Monte Carlo state",
            arrays={key: values[keep] for key, values in self.atom_shares().items()},
        )

    def atom_shares(self) -> dict[str, np.ndarray]:
        """Return each atom's share of the energy (energy_eV) and of the lateral virial (lateral_virial_eV, tension
        positive: the mean of dE/d(strain) along x and y)."""
        energy = self.energy_terms()
        virial = energy.atom_virial
        return {"energy_eV": energy.atom_energy, "lateral_virial_eV": 0.5 * (virial[:, 0, 0] + virial[:, 1, 1])}

    def _check_overflow(self) -> None:
        if self.work.counters[OVERFLOW] != 0:
            raise SamplerError("The network collapsed: more atoms near each other than any sound network has.")


def _with_oxygen(atoms: Atoms, positions: np.ndarray) -> Atoms:
    """Return the atoms with O without bonds added at the given positions (k, 3), or as they are when there are none."""
    k = len(positions)
    if k == 0:
        return atoms
    return Atoms(
        np.vstack([atoms.position, positions]),
        np.vstack([atoms.neighbours, np.full((k, 4), -1, np.int32)]),
        np.append(atoms.degree, np.zeros(k, np.int8)),
        np.append(atoms.species, np.ones(k, np.int8)),
        np.append(atoms.frozen, np.zeros(k, bool)),
        atoms.cell,
        atoms.stream,
    )
