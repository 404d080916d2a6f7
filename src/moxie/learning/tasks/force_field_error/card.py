"""What the model card of the task force_field_error says."""

from collections.abc import Mapping
from typing import Any

from moxie.learning.task_card import Words, against_all

NAMES = {
    "none": "no error (physics alone)",
    "constant": "constant (baseline)",
    "linear": "linear in T and p",
    "gaussian_process": "Gaussian process",
    "chosen": "chosen by the other states",
}


def words(metrics: Mapping[str, Any]) -> Words:
    """Return the sentences of the model card."""
    table = "\n".join(
        f"| {c['system']} | {c['model']} | {c['quantity']} | {c['n_states']} | {c['mean_deviation']:+.2f} | "
        f"{c['sampling_error']:.2f} | " + " | ".join(f"{c['rmse'][name]:.2f}" for name in NAMES) + " |"
        for c in metrics["by_curve"]
    )
    across = "; ".join(
        f"{e['quantity']} with {e['force_field']}: "
        + (f"refused, {e['refused']}" if "refused" in e else f"{e['rmse']:.2f} percent")
        for e in metrics["across_molecules"]
    )
    best, chosen = NAMES[metrics["best"]], {NAMES[name]: n for name, n in metrics["chosen"].items() if n}
    return Words(
        predicts="Predicts by how many percent a force field misses the density or the enthalpy of vaporisation of a "
        "liquid that was simulated, at another temperature or pressure.",
        intended_use="Correcting a simulated property between the simulated states of the same liquid, and seeing "
        "whether an error is constant or drifts. Not for other liquids.",
        data=f"{metrics['n_rows']} state points on {metrics['n_curves']} curves, one for each liquid, force field and "
        "quantity; means over replicas against reference equations of state.",
        model=f"The file holds, for each curve: {best}. It has the least error on left-out states of the models "
        "compared: no error, a constant, Bayesian linear regression on scaled temperature and pressure with the "
        "sampling errors of the simulations as noise (the slope's prior maximises the marginal likelihood), and a "
        "Gaussian process.",
        evaluation="A state is predicted by its own curve alone, so no simulation is on both sides. The row `chosen by "
        "the other states` is the honest score of the choice: made for each state without it ("
        + ", ".join(f"{name} {n} times" for name, n in chosen.items())
        + "). "
        + against_all(metrics["rmse_ratios"], NAMES, metrics["confidence"]),
        names=NAMES,
        limits=(
            "Three or four state points make a rough curve; the errors cannot fall below the sampling error.",
            "No transfer between liquids: " + across + ".",
        ),
        more=(
            (
                "By curve",
                "Percent; sampling: root-mean-square standard error of the simulations.\n\n"
                "| liquid | force field | quantity | states | mean deviation | sampling | "
                f"{' | '.join(NAMES.values())} |\n|---|---|---|---|---|---|{'---|' * len(NAMES)}\n{table}",
            ),
            (
                "Across molecules",
                "Error of the mean deviation of all other liquids as a prediction for a new one, leave one liquid "
                f"out. {across}.",
            ),
        ),
    )
