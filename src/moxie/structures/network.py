"""A covalent network of Si and O with its bonds, and the extended XYZ file that holds it exactly."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from moxie.errors import InputError
from moxie.io import write_text

COORDINATION = {"Si": 4, "O": 2}
MASS_AMU = {"Si": 28.085, "O": 15.999}  # IUPAC abridged standard atomic weights (2021)
CLOSEST_A = 0.6
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PROPERTIES = "species:S:1:pos:R:3:frozen:L:1"


@dataclass(frozen=True)
class Network:
    """Atoms, bonds and an orthogonal cell.

    positions: (n, 3) angstrom. species: (n,) "Si" or "O". bonds: (m, 2) int, each bond once with the smaller atom
    first, sorted. cell: (3,) edge lengths in angstrom. periodic: (3,) bool. frozen: (n,) bool, atoms that never move
    and keep their bonds. info: JSON-like facts about the network (written to the file's comment line). arrays: more
    numbers per atom, (n,) each, by column name.
    The vector of a bond is the one to the nearest periodic image.
    """

    positions: np.ndarray
    species: np.ndarray
    bonds: np.ndarray
    cell: np.ndarray
    periodic: np.ndarray
    frozen: np.ndarray
    info: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def area_A2(self) -> float:
        """Area of the cell in the xy plane, in square angstrom."""
        return float(self.cell[0] * self.cell[1])

    def vectors(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Return the vectors (k, 3) from atoms i to the nearest images of atoms j, in angstrom."""
        return nearest_image(self.positions[j] - self.positions[i], self.cell, self.periodic)

    def crossings(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Return how many cells the vectors from atoms i to the nearest images of atoms j cross, (k, 3) int."""
        plain = self.positions[j] - self.positions[i]
        return np.round((self.vectors(i, j) - plain) / self.cell).astype(int)

    def tree(self) -> Any:
        """Return a scipy cKDTree of the atoms in which distances are those of the nearest images."""
        from scipy.spatial import cKDTree

        folded = np.mod(self.positions, np.where(self.periodic, self.cell, 1.0))
        folded = np.where(self.periodic & (folded >= self.cell), 0.0, folded)
        lowest = np.where(self.periodic, 0.0, self.positions.min(axis=0))
        return cKDTree(np.where(self.periodic, folded, self.positions - lowest), boxsize=self.cell * self.periodic)

    def neighbours(self) -> list[list[int]]:
        """Return the bonded neighbours of every atom, ascending."""
        result: list[list[int]] = [[] for _ in self.positions]
        for i, j in self.bonds.tolist():
            result[i].append(j)
            result[j].append(i)
        return [sorted(row) for row in result]

    def coordination(self) -> np.ndarray:
        """Return the number of bonds of every atom, shape (n,)."""
        return np.bincount(self.bonds.ravel(), minlength=len(self.positions))

    def oxidation_states(self) -> np.ndarray:
        """Return the number of O neighbours of every Si, and 0 for O; shape (n,)."""
        oxygen = self.species == "O"
        states = np.zeros(len(self.positions), int)
        np.add.at(states, self.bonds[:, 0], oxygen[self.bonds[:, 1]])
        np.add.at(states, self.bonds[:, 1], oxygen[self.bonds[:, 0]])
        states[oxygen] = 0
        return states


def make_network(
    positions: Any,
    species: Any,
    bonds: Any,
    cell: Any,
    periodic: Any = (True, True, True),
    frozen: Any = None,
    info: dict[str, Any] | None = None,
    label: str = "network",
    arrays: dict[str, np.ndarray] | None = None,
) -> Network:
    """Return a validated Network from array-likes; `label` names it in error messages. See `validate`.

    `periodic` and `frozen` must be booleans: a text such as "F" would count as true.
    """
    positions = np.array(positions, float).reshape(-1, 3)
    bonds = np.array(bonds, np.int64).reshape(-1, 2)
    bonds = np.sort(bonds, axis=1)
    bonds = bonds[np.lexsort((bonds[:, 1], bonds[:, 0]))]
    network = Network(
        positions=positions,
        species=np.array(species, dtype=str),
        bonds=bonds,
        cell=np.array(cell, float).reshape(3),
        periodic=_booleans(periodic, "periodic", label).reshape(3),
        frozen=np.zeros(len(positions), bool) if frozen is None else _booleans(frozen, "frozen", label),
        info=dict(info or {}),
        arrays={key: np.array(value, float) for key, value in (arrays or {}).items()},
    )
    validate(network, label)
    return replace(network, species=network.species.astype("<U2"))


def _booleans(values: Any, name: str, label: str) -> np.ndarray:
    found = np.array(values)
    if found.size and found.dtype != bool:
        raise InputError(f"{label}: `{name}` holds {found.flat[0].item()!r}; True or False is needed for each.")
    return found.astype(bool)


def repeat(network: Network, times: tuple[int, int, int]) -> Network:
    """Return the network repeated along its periodic axes; atoms of one copy stay together.

    Raises InputError for a count below 1, or above 1 along an axis that is not periodic.
    """
    counts = np.array(times)
    if (counts < 1).any() or (counts[~network.periodic] > 1).any():
        raise InputError(f"{tuple(times)} copies: at least one along each axis, and one along axes not periodic.")
    copies = np.array([(x, y, z) for x in range(times[0]) for y in range(times[1]) for z in range(times[2])])
    n = len(network.positions)
    i, j = network.bonds.T
    crossed = network.crossings(i, j)
    bonds = []
    for copy, shift in enumerate(copies):
        x, y, z = ((shift + crossed) % counts).T
        bonds.append(np.stack([i + n * copy, j + n * ((x * times[1] + y) * times[2] + z)], axis=1))
    return make_network(
        (network.positions + (copies * network.cell)[:, None]).reshape(-1, 3),
        np.tile(network.species, len(copies)),
        np.concatenate(bonds),
        network.cell * counts,
        network.periodic,
        np.tile(network.frozen, len(copies)),
        network.info,
        "repeated network",
        {key: np.tile(values, len(copies)) for key, values in network.arrays.items()},
    )


def nearest_image(vectors: np.ndarray, cell: np.ndarray, periodic: np.ndarray) -> np.ndarray:
    """Return vectors (k, 3) folded to the nearest periodic image; cell and periodic have shape (3,)."""
    lengths = np.where(periodic, cell, 1.0)
    return vectors - np.where(periodic, lengths * np.round(vectors / lengths), 0.0)


def validate(network: Network, label: str) -> None:
    """Raise InputError, naming `label` and the atom, unless the network is one that the Monte Carlo can use.

    Checked: shapes, finite numbers, elements, bonds (inside the list, no bond of an atom to itself, none twice, none
    O-O, shorter than half a periodic edge so that the nearest image is the only one), atoms on top of each other, and
    coordination: 4 for Si, 2 for O; frozen atoms may have fewer.
    """
    n = len(network.positions)
    if n == 0:
        raise InputError(f"{label}: no atoms.")
    if len(network.species) != n or len(network.frozen) != n:
        raise InputError(
            f"{label}: {n} positions, but {len(network.species)} elements and {len(network.frozen)} frozen marks."
        )
    for atom, element in enumerate(network.species.tolist()):
        if element not in COORDINATION:
            raise InputError(f"{label}: atom {atom} is {element!r}; networks hold Si and O only.")
    for key, values in network.arrays.items():
        if values.shape != (n,) or not _COLUMN.fullmatch(key):
            raise InputError(
                f"{label}: column {key!r} of shape {values.shape}; a plain name and {n} numbers are needed."
            )
    broken = np.flatnonzero(~np.isfinite(network.positions).all(axis=1))
    if len(broken):
        raise InputError(f"{label}: atom {broken[0]} has a position that is not a finite number.")
    if not (np.isfinite(network.cell).all() and (network.cell > 0).all()):
        raise InputError(f"{label}: the cell edges {network.cell.tolist()} must be positive and finite.")
    _validate_bonds(network, label)
    _validate_distances(network, label)
    counts = network.coordination()
    wanted = np.array([COORDINATION[element] for element in network.species.tolist()])
    wrong = np.flatnonzero((counts > wanted) | ((counts < wanted) & ~network.frozen))
    if len(wrong):
        atom = int(wrong[0])
        raise InputError(
            f"{label}: atom {atom} ({network.species[atom]}) has {counts[atom]} bonds; Si needs 4 and O needs 2 "
            "(only frozen atoms may have fewer)."
        )


def _validate_bonds(network: Network, label: str) -> None:
    bonds = network.bonds
    outside = np.flatnonzero((bonds < 0).any(axis=1) | (bonds >= len(network.positions)).any(axis=1))
    if len(outside):
        pair = bonds[outside[0]].tolist()
        raise InputError(f"{label}: bond {pair} names an atom outside 0..{len(network.positions) - 1}.")
    same = np.flatnonzero(bonds[:, 0] == bonds[:, 1])
    if len(same):
        raise InputError(f"{label}: atom {bonds[same[0], 0]} is bonded to itself.")
    double = np.flatnonzero((np.diff(bonds, axis=0) == 0).all(axis=1))
    if len(double):
        raise InputError(f"{label}: atoms {bonds[double[0]].tolist()} are bonded twice.")
    oxygen = network.species == "O"
    peroxide = np.flatnonzero(oxygen[bonds[:, 0]] & oxygen[bonds[:, 1]])
    if len(peroxide):
        raise InputError(f"{label}: atoms {bonds[peroxide[0]].tolist()} are a bond O-O; O may only bond to Si.")
    if len(bonds):
        lengths = np.linalg.norm(network.vectors(bonds[:, 0], bonds[:, 1]), axis=1)
        limit = 0.5 * network.cell[network.periodic].min(initial=np.inf)
        long = np.flatnonzero(lengths >= limit)
        if len(long):
            pair = bonds[long[0]].tolist()
            raise InputError(
                f"{label}: the bond {pair} is {lengths[long[0]]:.2f} A long, half a periodic edge or more, so that its "
                "periodic image is not unique. Use a larger cell."
            )


def _validate_distances(network: Network, label: str) -> None:
    pairs = network.tree().query_pairs(CLOSEST_A, output_type="ndarray")
    if len(pairs):
        i, j = sorted(pairs[0].tolist())
        raise InputError(f"{label}: atoms {i} and {j} are closer than {CLOSEST_A} A.")


def write_networks(path: str | Path, networks: Network | Iterable[Network]) -> None:
    """Write one network or several frames as extended XYZ, exactly (shortest decimal form that reads back the same).

    Columns: species, pos, frozen, and one for each of the network's arrays. The comment line holds Lattice, pbc,
    `bonds` (flat list of atom pairs, from 0) and `info` (JSON). The file appears whole or not at all. Raises InputError
    for facts in `info` that JSON cannot hold.
    """
    frames = [networks] if isinstance(networks, Network) else list(networks)
    write_text(path, "".join(_format(frame) for frame in frames))


def _format(network: Network) -> str:
    edges = [float(edge) for edge in network.cell]
    lattice = f"{edges[0]!r} 0.0 0.0 0.0 {edges[1]!r} 0.0 0.0 0.0 {edges[2]!r}"
    pbc = " ".join("T" if flag else "F" for flag in network.periodic)
    bonds = " ".join(str(atom) for atom in network.bonds.ravel().tolist())
    info = json.dumps(network.info, sort_keys=True, default=_plain).replace("\\", "\\\\").replace('"', '\\"')
    properties = _PROPERTIES + "".join(f":{key}:R:1" for key in network.arrays)
    columns = [values.tolist() for values in network.arrays.values()]
    lines = [
        str(len(network.positions)),
        f'Lattice="{lattice}" Properties={properties} pbc="{pbc}" bonds="{bonds}" info="{info}"',
    ]
    for element, (x, y, z), frozen, *more in zip(
        network.species.tolist(), network.positions.tolist(), network.frozen.tolist(), *columns, strict=True
    ):
        lines.append(" ".join([f"{element} {x!r} {y!r} {z!r} {'T' if frozen else 'F'}", *(repr(v) for v in more)]))
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    """Return numpy's numbers and arrays as JSON has them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise InputError(
        f"The network's `info` holds {value!r} of type {type(value).__name__}; a file can hold text, numbers, true, "
        "false, null, lists and dicts of these."
    )


def read_network(path: str | Path) -> Network:
    """Read a file that holds one network; raises InputError as `read_networks` does, and for several frames."""
    frames = read_networks(path)
    if len(frames) != 1:
        raise InputError(f"{path} holds {len(frames)} frames where one network is expected.")
    return frames[0]


def read_networks(path: str | Path) -> list[Network]:
    """Read all frames of a network file; raises InputError naming file, frame, line or atom when something is wrong."""
    lines = xyz_lines(path)
    return [
        _parse(lines[start + 1], lines[start + 2 : start + 2 + n], start + 3, f"{path}, frame {frame}")
        for frame, (start, n) in enumerate(xyz_frames(path, lines))
    ]


def xyz_lines(path: str | Path) -> list[str]:
    """Return the lines of an XYZ file; raises InputError for one that is no text."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        words = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise InputError(f"{path} {words}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file.") from error
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def xyz_frames(path: str | Path, lines: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first line (from 0) and the number of atoms of each frame of an XYZ file.

    Raises InputError for no frame, for a line that should be a number of atoms, and for more atoms than there are.
    """
    frames: list[tuple[int, int]] = []
    start = 0
    while start < len(lines):
        label = f"{path}, frame {len(frames)}"
        try:
            n = int(lines[start])
        except ValueError:
            raise InputError(
                f"{label}: line {start + 1} must be the number of atoms; found {lines[start][:80]!r}."
            ) from None
        if n <= 0 or start + 2 + n > len(lines):
            raise InputError(
                f"{label}: {n} atoms announced, but the file ends at line {len(lines)}. It may be cut off."
            )
        frames.append((start, n))
        start += 2 + n
    if not frames:
        raise InputError(f"{path} is empty.")
    return frames


def _parse(comment: str, rows: Sequence[str], first_line: int, label: str) -> Network:
    try:
        facts = dict(part.split("=", 1) for part in shlex.split(comment))
        lattice = np.array([float(x) for x in facts["Lattice"].split()]).reshape(3, 3)
        pbc = [{"T": True, "F": False}[flag] for flag in facts["pbc"].split()]
        bonds = np.array([int(x) for x in facts["bonds"].split()], np.int64).reshape(-1, 2)
        info = json.loads(facts.get("info", "{}"))
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{label}: the comment line must hold Lattice (9 numbers), pbc (3 of T or F) and bonds (atom pairs); "
            f"problem: {error}."
        ) from error
    if not isinstance(info, dict):
        raise InputError(f"{label}: `info` in the comment line is {info!r}; it must be a JSON object {{...}}.")
    properties = facts.get("Properties", "")
    names = properties.removeprefix(_PROPERTIES).split(":")[1::3]
    if properties != _PROPERTIES + "".join(f":{name}:R:1" for name in names) or len(pbc) != 3:
        raise InputError(f"{label}: the columns must be {_PROPERTIES}, then name:R:1 for each further column.")
    if np.any(lattice != np.diag(np.diag(lattice))):
        raise InputError(f"{label}: the cell must be orthogonal; found {lattice.tolist()}.")
    species, positions, frozen, further = [], [], [], []
    for offset, row in enumerate(rows):
        words = row.split()
        try:
            element, x, y, z, mark = words[:5]
            if len(words) != 5 + len(names):
                raise ValueError
            further.append([float(word) for word in words[5:]])
            positions.append((float(x), float(y), float(z)))
            frozen.append({"T": True, "F": False}[mark])
        except (KeyError, ValueError):
            raise InputError(f"{label}: atom {offset} (line {first_line + offset}) cannot be read: {row!r}.") from None
        species.append(element)
    arrays = dict(zip(names, np.array(further, float).reshape(len(rows), -1).T, strict=True))
    return make_network(positions, species, bonds, np.diag(lattice), pbc, frozen, info, label, arrays)
