"""Run the benchmarks of one stage or of all: `make bench [STAGE=oxidation] [QUICK=1]`."""

import os
import sys
from pathlib import Path

from benchmarks import (
    cold_films,
    coverage,
    dynamics,
    film_convergence,
    learnt_moves,
    oxidation,
    second_opinion,
    workflow,
)
from benchmarks.rows import write

STAGES = {
    "oxidation": oxidation.measure,
    "film_convergence": film_convergence.measure,
    "cold_films": cold_films.measure,
    "second_opinion": second_opinion.measure,
    "learnt_moves": learnt_moves.measure,
    "dynamics": dynamics.measure,
    "coverage": coverage.measure,
    "workflow": workflow.measure,
}


def main() -> None:
    """Measure and write results/benchmarks/{stage}.json."""
    wanted = os.environ.get("STAGE") or ""
    if wanted and wanted not in STAGES:
        sys.exit(f"STAGE={wanted}: there is no such benchmark; the stages are {', '.join(STAGES)}.")
    for stage in [wanted] if wanted else list(STAGES):
        rows = []
        try:
            for row in STAGES[stage](quick=bool(os.environ.get("QUICK"))):
                rows.append(row)
        finally:  # what was measured is worth having, whatever came after it
            if rows:
                write(Path("results") / "benchmarks" / f"{stage}.json", rows)


if __name__ == "__main__":
    main()
