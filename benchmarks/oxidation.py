"""Speed of the Monte Carlo engine: attempts per CPU second of one core, its dependence on size, false kills."""

import time
from typing import Any

from benchmarks.rows import row


def measure(quick: bool) -> list[dict[str, Any]]:
    """Measure attempts that pass the topology filter per CPU second, per system and size."""
    from moxie.oxidation.engine import Engine
    from moxie.oxidation.films import Anneal, FilmSettings, Growth, active_silicon, grow_oxide
    from moxie.oxidation.parameter_sets import load_parameters
    from moxie.oxidation.warm_up import compile_kernels
    from moxie.structures.silicon import beta_cristobalite, diamond, silicon_slab

    runs, moves = (3, 1000) if quick else (5, 4000)
    parameters = load_parameters("von_alfthan_2003")
    compile_kernels()
    rows = []

    def rates(engine: Engine, kT: float, hop: float, active: Any) -> list[tuple[float, float]]:
        found = []
        for _ in range(runs):
            began = time.process_time()
            tally = engine.run(moves, kT, hop, active(engine))
            found.append((tally.valid / (time.process_time() - began), tally.accepted / max(tally.valid, 1)))
        return found

    def record(system: str, engine: Engine, kT: float, hop: float, active: Any, warm_up: int) -> None:
        engine.run(warm_up, kT, hop, active(engine))
        found = rates(engine, kT, hop, active)
        n, conditions = len(engine.atoms.position), f"kT {kT} eV, {moves} moves a run, attempts that pass the filter"
        rows.append(row("attempts_per_cpu_second", system, n, [rate for rate, _ in found], "1/s", conditions))
        rows.append(row("acceptance", system, n, [share for _, share in found], "1", conditions))

    for cells in (3, 5) if quick else (3, 5, 8, 12):
        record("a-Si", Engine(diamond((cells,) * 3), parameters, 1), 0.25, 0.0, lambda e: e.silicons, 20 * moves)
    for cells in (3, 4) if quick else (3, 5, 7):
        engine = Engine(beta_cristobalite((cells,) * 3), parameters, 1)
        record("silica", engine, 0.3, 0.0, lambda e: e.silicons, 5 * moves)
    settings = FilmSettings(160, Growth(stages=1, moves_per_oxygen=20), Anneal(2, 0.4, 20, 20))
    film = grow_oxide(silicon_slab((4, 4, 5)), parameters, settings, 1273.0, 1).stages[-1]
    record("oxidising slab", Engine(film, parameters, 1), 0.3, 0.3, active_silicon, moves)
    return rows
