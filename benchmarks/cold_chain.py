"""One chain at its process temperature, for `cold_films`: run by whichever moxie PYTHONPATH names.

Arguments: network file, rules (JSON), kT in eV, share of hops, moves, moves between two looks. Prints JSON. It imports
nothing that an earlier commit may not have.
"""

import inspect
import json
import sys
import time
from pathlib import Path

import numpy as np

from moxie.oxidation.engine import Engine
from moxie.oxidation.parameter_sets import load_parameters
from moxie.oxidation.rejection import Rejection
from moxie.structures.network import read_network


def silicon_near_oxygen(engine: Engine) -> np.ndarray:
    """Return the mobile Si with an O neighbour, or with a Si neighbour that has one, int32."""
    near, oxidised = engine.atoms.neighbours, engine.oxidation_states() > 0
    active = oxidised | ((near >= 0) & oxidised[near]).any(axis=1)
    return np.flatnonzero(active & (engine.atoms.species == 0) & ~engine.atoms.frozen).astype(np.int32)


def main() -> None:
    """Time a chain in one piece, then count the networks at its looks in another chain of the same length."""
    path, rules, kT_eV, hops, moves, every = sys.argv[1:]
    kT, n_moves, step = float(kT_eV), int(moves), int(every)
    parameters = load_parameters("von_alfthan_2003")
    rejection = Rejection.from_dict(json.loads(Path(rules).read_text()))
    options = {"catalogue": True} if "catalogue" in inspect.signature(Engine.run).parameters else {}

    def begin(seed: int) -> Engine:
        engine = Engine(read_network(path), parameters, seed, rejection)
        engine.relax(0.01, 1000)
        engine.run(1, kT, float(hops), active, **options)
        return engine

    active = silicon_near_oxygen(Engine(read_network(path), parameters, 0, rejection))
    engine = begin(1)
    began = time.process_time()
    tally = engine.run(n_moves, kT, float(hops), active, **options)
    cpu_s = time.process_time() - began
    engine = begin(2)
    seen, found, energies = {engine.bonds().tobytes()}, {"hops": 0, "switches": 0}, []
    for _ in range(n_moves // step):
        batch = engine.run(step, kT, float(hops), active, **options)
        energies.append(engine.energy)
        bonds = engine.bonds()
        key = bonds[np.lexsort((bonds[:, 1], bonds[:, 0]))].tobytes()
        if batch.accepted and key not in seen:
            seen.add(key)
            found["switches" if batch.accepted > batch.hops_accepted else "hops"] += 1
    print(json.dumps({"cpu_s": cpu_s, "accepted": tally.accepted, "distinct": found, "energies_eV": energies}))


if __name__ == "__main__":
    main()
