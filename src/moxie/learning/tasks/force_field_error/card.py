"""What the model card of the task force_field_error says."""

from collections.abc import Mapping
from typing import Any

from moxie.learning.task_card import Words

NAMES = {
    "none": "no error (physics alone)",
    "constant": "constant (baseline)",
    "linear": "linear in T and p: the model in the file",
    "gaussian_process": "Gaussian process",
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
    ratio = metrics["rmse_ratio_to_constant"]
    return Words(
        predicts="Predicts by how many percent a force field misses the density or the enthalpy of vaporisation of a "
        "liquid that was simulated, at another temperature or pressure.",
        intended_use="Correcting a simulated property between the simulated states of the same liquid, and seeing "
        "whether an error is constant or drifts. Not for other liquids.",
        data=f"{metrics['n_rows']} state points on {metrics['n_curves']} curves, one for each liquid, force field and "
        "quantity; means over replicas against reference equations of state.",
        model="Bayesian linear regression on scaled temperature and pressure, one for each curve, with the sampling "
        "errors of the simulations as noise; the slope's prior maximises the marginal likelihood.",
        evaluation=f"Error relative to a constant per curve: {ratio['value']:.2f} ({ratio['low']:.2f} to "
        f"{ratio['high']:.2f}). No row of another curve takes part, so no simulation is on both sides.",
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
