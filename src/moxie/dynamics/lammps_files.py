"""A periodic box as LAMMPS files: `system.data` and `system.in`, ready for `lmp -in system.in` (units real).

Where LAMMPS has no counterpart the input file says so in a comment: rigid bonds that no SHAKE cluster can hold become
stiff springs, and the Monte Carlo barostat becomes a Nose-Hoover one.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moxie.dynamics.interactions import Interactions, Pair
from moxie.dynamics.protocol import RunSettings

KJ_PER_KCAL = 4.184
BAR_PER_ATM = 1.01325
_RIGID_K = 502416.0  # kJ/mol/nm2; gives rigid bonds their springs while LAMMPS minimises, and stiff bonds always
_RIGID_ANGLE_K = 400.0  # kJ/mol/rad2
_STEPS_PER_PERIOD = 10  # of the fastest stiff spring
_BAROSTAT_DAMPING_FS = 1000.0
_LARGEST_SEED = 900_000_000
_MIXING = {"lorentz_berthelot": "arithmetic", "geometric": "geometric"}


@dataclass(frozen=True)
class Configuration:
    """Where the sites are, what they are called, and how the Ewald sum is carried out."""

    positions_nm: np.ndarray  # (n, 3), molecules whole
    velocities_nm_ps: np.ndarray  # (n, 3)
    edge_nm: float
    molecule: np.ndarray  # (n,), index of the molecule
    names: Sequence[str]  # (n,), of the site types
    splitting_per_nm: float  # alpha of the Ewald sum
    mesh: tuple[int, int, int]


@dataclass(frozen=True)
class RigidParts:
    """How LAMMPS holds the constraints: SHAKE clusters of at most four sites, none in two of them, else springs."""

    bonds: frozenset[Pair]
    angles: dict[tuple[int, int, int], float]  # of rigid triangles, in rad
    stiff: frozenset[Pair]


def rigid_parts(interactions: Interactions) -> RigidParts:
    """Return the constraints as SHAKE clusters, those with hydrogens first, and what no cluster can hold."""
    near = defaultdict(set)
    for first, second in interactions.constraints:
        near[first].add(second)
        near[second].add(first)
    mass, lengths = interactions.mass_amu, interactions.constraints
    order = sorted(near, key=lambda site: (-sum(mass[other] < 5 for other in near[site]), -mass[site], site))
    used: set[int] = set()
    bonds: set[Pair] = set()
    ends: set[Pair] = set()
    angles: dict[tuple[int, int, int], float] = {}
    for centre in order:
        members = sorted(near[centre] - used, key=lambda site: (mass[site], site))[:3]
        if centre in used or not members:
            continue
        used |= {centre, *members}
        bonds |= {_pair(centre, site) for site in members}
        closed = [(p, q) for p in members for q in members if p < q and _pair(p, q) in lengths]
        if len(members) == 2 and closed:
            (p, q), a, b = closed[0], lengths[_pair(centre, members[0])], lengths[_pair(centre, members[1])]
            angles[p, centre, q] = math.acos((a * a + b * b - lengths[_pair(p, q)] ** 2) / (2 * a * b))
            ends.add((p, q))
    return RigidParts(frozenset(bonds), angles, frozenset(set(lengths) - bonds - ends))


def lammps_files(
    interactions: Interactions, configuration: Configuration, settings: RunSettings, title: str, seed: int
) -> dict[str, str]:
    """Return the text of system.data and of system.in by their names."""
    parts = rigid_parts(interactions)
    data = _Data(interactions, configuration, parts)
    return {
        "system.data": data.text(title),
        "system.in": "\n".join(
            [
                f"# {title}",
                "# Run with: lmp -in system.in   (packages KSPACE, MOLECULE, EXTRA-MOLECULE, RIGID)",
                *force_field_lines(interactions, configuration),
                *protocol_lines(interactions, settings, parts, data, seed),
            ]
        )
        + "\n",
    }


def force_field_lines(interactions: Interactions, configuration: Configuration) -> list[str]:
    """Return the commands that set the energy up and read system.data."""
    lennard_jones, coulomb = interactions.lennard_jones_14_scale, interactions.coulomb_14_scale
    has_angles = interactions.angles or rigid_parts(interactions).angles
    mesh = " ".join(str(number) for number in configuration.mesh)
    tail = "yes" if interactions.tail_correction else "no"
    return [
        "units real",
        "atom_style full",
        *(["bond_style harmonic"] if interactions.bonds or interactions.constraints else []),
        *(["angle_style harmonic"] if has_angles else []),
        *(["dihedral_style fourier"] if interactions.torsions else []),
        f"pair_style lj/cut/coul/long {10 * interactions.cutoff_nm:.12g}",
        f"pair_modify mix {_MIXING[interactions.combining_rule]} tail {tail}",
        f"special_bonds lj 0.0 0.0 {lennard_jones:.12g} coul 0.0 0.0 {coulomb:.12g}",
        "read_data system.data",
        "kspace_style pppm 1.0e-4",
        f"kspace_modify gewald {configuration.splitting_per_nm / 10:.12g} mesh {mesh} order 5 # as in OpenMM",
        "neighbor 2.0 bin",
        "neigh_modify delay 0 every 1 check yes",
    ]


def protocol_lines(
    interactions: Interactions, settings: RunSettings, parts: RigidParts, data: "_Data", seed: int
) -> list[str]:
    """Return the commands of thermostat, barostat, output and run."""
    lines, timestep_fs = [], settings.timestep_fs
    if parts.stiff:
        timestep_fs = min(timestep_fs, _longest_step_fs(interactions, parts.stiff))
        lines += [
            f"# {len(parts.stiff)} rigid bonds do not fit into SHAKE clusters (at most four sites around one centre,",
            f"# no site in two): they are springs of {_RIGID_K:g} kJ/mol/nm2 here, which limits the time step.",
        ]
    damping_fs = 1000 / settings.friction_per_ps
    lines += [
        f"timestep {timestep_fs:.6g}",
        f"fix thermostat all langevin {settings.temperature_K:g} {settings.temperature_K:g} {damping_fs:.6g}"
        f" {seed % _LARGEST_SEED + 1}",
        *data.shake_lines(),
    ]
    if settings.ensemble == "NPT":
        pressure = f"{settings.pressure_bar / BAR_PER_ATM:.8g}"
        lines += [
            "# moxie has a Monte Carlo barostat; Nose-Hoover's samples the same ensemble.",
            f"fix integrate all nph iso {pressure} {pressure} {_BAROSTAT_DAMPING_FS:g}",
        ]
    else:
        lines.append("fix integrate all nve")

    def steps(time_ps: float) -> int:
        return max(1, round(1000 * time_ps / timestep_fs))

    return [
        *lines,
        "compute_modify thermo_temp extra/dof 0 # the thermostat acts on the centre of mass too",
        f"thermo {steps(settings.sample_interval_ps)}",
        "thermo_style custom step time temp press vol density pe evdwl ecoul elong etail ebond eangle edihed",
        f"run {steps(settings.equilibration_ps)}",
        f"dump trajectory all custom {steps(settings.frame_interval_ps)} system.lammpstrj id mol type xu yu zu",
        f"run {steps(settings.sampling_ps)}",
    ]


class _Types:
    """Numbers parameter sets from 1 on, in the order in which they come."""

    def __init__(self, rows: Iterable[Hashable]):
        self.of = list(rows)
        self.number = {row: index for index, row in enumerate(dict.fromkeys(self.of), start=1)}

    def __iter__(self) -> Any:
        return iter(self.number.items())


class _Data:
    """The sections of a data file, and the numbers of the types that SHAKE holds."""

    def __init__(self, interactions: Interactions, configuration: Configuration, parts: RigidParts):
        self._interactions, self._configuration = interactions, configuration
        springs = {pair: ("flexible", *values) for pair, values in interactions.bonds.items()}
        springs |= {pair: ("rigid", interactions.constraints[pair], _RIGID_K) for pair in sorted(parts.bonds)}
        springs |= {pair: ("stiff", interactions.constraints[pair], _RIGID_K) for pair in sorted(parts.stiff)}
        bends = {sites: ("flexible", *values) for sites, values in interactions.angles.items()}
        bends |= {sites: ("rigid", angle, _RIGID_ANGLE_K) for sites, angle in parts.angles.items()}
        self._bonds, self._angles = list(springs), list(bends)
        self._torsions = [torsion.sites for torsion in interactions.torsions]
        rounded = zip(
            configuration.names, *(np.round(values, 12).tolist() for values in (
                interactions.mass_amu, interactions.charge_e, interactions.sigma_nm, interactions.epsilon_kJ_mol,
            )), strict=True,
        )  # fmt: skip
        self._atom_types = _Types(rounded)
        self._bond_types = _Types(_rounded(row) for row in springs.values())
        self._angle_types = _Types(_rounded(row) for row in bends.values())
        self._torsion_types = _Types(torsion.terms for torsion in interactions.torsions)

    def shake_lines(self) -> list[str]:
        """Return the command that holds the rigid bonds and angles, if there are any."""
        bonds = [str(number) for (kind, *_), number in self._bond_types if kind == "rigid"]
        angles = [str(number) for (kind, *_), number in self._angle_types if kind == "rigid"]
        if not bonds:
            return []
        return [" ".join(["fix rigid_bonds all shake 1.0e-6 100 0 b", *bonds, *(["a", *angles] if angles else [])])]

    def text(self, title: str) -> str:
        """Return the whole file."""
        edge = 10 * float(self._configuration.edge_nm)
        counted = {
            "atom": (self._interactions.n_sites, self._atom_types), "bond": (len(self._bonds), self._bond_types),
            "angle": (len(self._angles), self._angle_types), "dihedral": (len(self._torsions), self._torsion_types),
        }  # fmt: skip
        lines = [f"LAMMPS data file: {title}", ""]
        lines += [f"{count} {kind}s" for kind, (count, _) in counted.items()]
        lines += [f"{len(types.number)} {kind} types" for kind, (_, types) in counted.items()]
        lines += ["", *(f"0.0 {edge!r} {axis}lo {axis}hi" for axis in "xyz")]
        lines += ["", "Masses", "", *(f"{number} {row[1]!r} # {row[0]}" for row, number in self._atom_types)]
        lines += self._coefficients()
        lines += self._atoms()
        for title, members, types in (
            ("Bonds", self._bonds, self._bond_types), ("Angles", self._angles, self._angle_types),
            ("Dihedrals", self._torsions, self._torsion_types),
        ):  # fmt: skip
            rows = (
                " ".join(str(value) for value in (index, types.number[row], *(site + 1 for site in sites)))
                for index, (sites, row) in enumerate(zip(members, types.of, strict=True), start=1)
            )
            lines += ["", title, "", *rows] if members else []
        return "\n".join(lines) + "\n"

    def _coefficients(self) -> list[str]:
        lines = ["", "Pair Coeffs # lj/cut/coul/long", ""]
        lines += [
            f"{number} {epsilon / KJ_PER_KCAL!r} {10 * sigma!r} # {name}"
            for (name, _, _, sigma, epsilon), number in self._atom_types
        ]
        if self._bonds:
            lines += ["", "Bond Coeffs # harmonic", ""]
            lines += [
                f"{number} {k / 200 / KJ_PER_KCAL!r} {10 * length!r} # {kind}"
                for (kind, length, k), number in self._bond_types
            ]
        if self._angles:
            lines += ["", "Angle Coeffs # harmonic", ""]
            lines += [
                f"{number} {k / 2 / KJ_PER_KCAL!r} {math.degrees(angle)!r} # {kind}"
                for (kind, angle, k), number in self._angle_types
            ]
        if self._torsions:
            lines += ["", "Dihedral Coeffs # fourier", ""]
            for terms, number in self._torsion_types:
                values = (f"{k / KJ_PER_KCAL!r} {n} {math.degrees(phase)!r}" for n, phase, k in terms)
                lines.append(f"{number} {len(terms)} {' '.join(values)}")
        return lines

    def _atoms(self) -> list[str]:
        here, charges = self._configuration, self._interactions.charge_e.tolist()
        images = np.floor(here.positions_nm / here.edge_nm).astype(int)
        positions = 10 * (here.positions_nm - images * here.edge_nm)
        lines = ["", "Atoms # full", ""]
        for site, ((x, y, z), image) in enumerate(zip(positions.tolist(), images.tolist(), strict=True)):
            numbers = f"{site + 1} {here.molecule[site] + 1} {self._atom_types.number[self._atom_types.of[site]]}"
            lines.append(f"{numbers} {charges[site]!r} {x!r} {y!r} {z!r} {image[0]} {image[1]} {image[2]}")
        lines += ["", "Velocities", ""]
        for site, (x, y, z) in enumerate((0.01 * here.velocities_nm_ps).tolist(), start=1):
            lines.append(f"{site} {x!r} {y!r} {z!r}")
        return lines


def _rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(round(value, 12) if isinstance(value, float) else value for value in row)


def _pair(first: int, second: int) -> Pair:
    return (first, second) if first < second else (second, first)


def _longest_step_fs(interactions: Interactions, stiff: Iterable[Pair]) -> float:
    mass = interactions.mass_amu
    reduced_amu = min(mass[i] * mass[j] / (mass[i] + mass[j]) for i, j in stiff)
    longest_fs = 1000 * 2 * math.pi * math.sqrt(reduced_amu / _RIGID_K) / _STEPS_PER_PERIOD
    return math.floor(10 * longest_fs) / 10
