"""Tables that the learning tasks read and leave behind."""

from moxie.features.schemas.columns import (
    APPROACH,
    FORCE_FIELD_SHA256,
    ORIENTATION,
    PRESSURE,
    REPLICA,
    STAGE,
    TEMPERATURE,
    count,
    maybe,
    number,
    text,
)
from moxie.features.schemas.table import VARIES, Column, Table

SITE_ENVIRONMENTS = Table(
    "site_environments",
    "Geometry around the mobile Si of the final films, without bonds and without elements.",
    ("orientation", "temperature_K", "approach", "replica", "site"),
    (
        ORIENTATION,
        TEMPERATURE,
        APPROACH,
        REPLICA,
        count("site", "number of the atom in the film, from 0"),
        *(
            number(f"distance_{k}_A", "angstrom", f"distance to the nearest atom number {k}", 0.1, 1e3)
            for k in range(1, 13)
        ),
        *(
            number(
                f"cosine_{k}",
                "1",
                f"cosine number {k}, ascending, of the angles between the nearest four",
                -1.001,
                1.001,
            )
            for k in range(1, 7)
        ),
    ),
)

PREDICTIONS = Table(
    "predictions",
    "Predictions of a learning task for held-out rows.",
    ("temperature_K", "replica", "stage"),
    (
        TEMPERATURE,
        REPLICA,
        STAGE,
        number("oxygen_per_area_per_A2", "1/angstrom2", "oxygen atoms per area", 0.0),
        text("target", "name of the predicted observable"),
        count("fold", "number of the fold in which the row was held out"),
        number("observed", VARIES, "simulated value"),
        number("predicted", VARIES, "Gaussian process, trained without this temperature"),
        number("standard_deviation", VARIES, "predictive standard deviation, replica noise included", 0.0),
        number("lower", VARIES, "lower end of the predictive interval"),
        number("upper", VARIES, "upper end of the predictive interval"),
        number("linear_interpolation", VARIES, "baseline: linear interpolation, without this temperature"),
        number("stage_interpolation", VARIES, "baseline: linear interpolation in temperature at the same stage"),
        number("plane", VARIES, "baseline: plane in temperature and oxygen, without this temperature"),
        number("mean", VARIES, "baseline: mean of the other temperatures"),
    ),
)

_LOGP = "octanol-water partition coefficient, decadic logarithm"

LOGP_PREDICTIONS = Table(
    "logp_predictions",
    "Predictions of the learning task logp: of measured molecules when they were held out, and of all others.",
    ("list", "molecule"),
    (
        text("list", "list that the molecule stands in"),
        text("molecule", "name of the molecule in its list"),
        text("smiles", "SMILES of the molecule"),
        text("role", "held out: measured, and predicted by a model that did not know it; new", "held out", "new"),
        text("scaffold", "Bemis-Murcko scaffold, the group of the split"),
        maybe("fold", "1", "number of the fold in which the row was held out", 0.0),
        maybe("observed", "1", f"measured {_LOGP}"),
        number("predicted", "1", f"{_LOGP}, by learning the error of the solvation model"),
        number("lower", "1", "lower end of the predictive interval"),
        number("upper", "1", "upper end of the predictive interval"),
        number("nearest_similarity", "1", "Tanimoto similarity of the most similar training molecule", 0.0, 1.0),
        text("applicability", "inside, in the training set, or why the prediction is an extrapolation"),
        maybe("mean", "1", "baseline: mean of the training molecules"),
        number("alpb_dry", "1", "baseline: ALPB solvation in water and dry octanol"),
        number("alpb_wet", "1", "baseline: ALPB solvation in water and wet octanol"),
        number("crippen", "1", "baseline: Wildman and Crippen's sum over atoms"),
        maybe("descriptors", "1", "learnt from descriptors alone"),
        maybe("descriptors_quantum", "1", "learnt from descriptors and quantum chemistry"),
    ),
)

NETWORK_ENERGY_PREDICTIONS = Table(
    "network_energy_predictions",
    "Predictions of the learning task network_energy for oxygen contents that its training set lacks.",
    ("n_oxygen", "placement"),
    (
        Column("n_oxygen", "int", "1", "oxygen atoms in the cell of 16 Si", 0, 32),
        text("placement", "name of the placement, as in the table placements"),
        number("observed", "eV", "relaxed energy of the cell"),
        number("predicted", "eV", "ridge regression on pairs and triplets of O"),
        number("lower", "eV", "lower end of the predictive interval"),
        number("upper", "eV", "upper end of the predictive interval"),
        number("mean", "eV", "baseline: mean of the training rows"),
        number("composition", "eV", "baseline: linear in the number of O"),
        number("pairs", "eV", "ridge regression on pairs of O"),
        number("trees", "eV", "gradient-boosted trees on pairs and triplets of O"),
    ),
)

SITE_MAP = Table(
    "site_map",
    "Every mobile Si of the final films on the map of the task site_map.",
    ("orientation", "temperature_K", "approach", "replica", "site"),
    (
        ORIENTATION,
        TEMPERATURE,
        APPROACH,
        REPLICA,
        count("site", "number of the atom in the film, from 0"),
        count("cluster", "cluster, from 0, in the order of size"),
        number("component_1", "1", "first principal component of the scaled features"),
        number("component_2", "1", "second principal component of the scaled features"),
        number("unusualness", "1", "mean distance to the ten most similar other sites, scaled features", 0.0),
        number("x_A", "angstrom", "position along x"),
        number("y_A", "angstrom", "position along y"),
        number("z_A", "angstrom", "position along the surface normal"),
        Column("oxidation_state", "int", "1", "oxygen neighbours, which the map has not seen", 0, 4),
        number("strain_energy_eV", "eV", "energy of the site without suboxide penalty, which the map has not seen"),
    ),
)

FORCE_FIELD_ERROR_PREDICTIONS = Table(
    "force_field_error_predictions",
    "Predictions of the learning task force_field_error for state points that were left out.",
    ("system", "model", "quantity", "temperature_K", "pressure_bar"),
    (
        text("system", "name of the simulated liquid"),
        text("model", "force field"),
        FORCE_FIELD_SHA256,
        text("quantity", "name of the compared quantity"),
        TEMPERATURE,
        PRESSURE,
        number("observed", "percent", "deviation of the simulation from the reference"),
        number("standard_error", "percent", "its standard error", 0.0),
        number("predicted", "percent", "model that the other states choose, fitted without this state"),
        number("lower", "percent", "lower end of the predictive interval"),
        number("upper", "percent", "upper end of the predictive interval"),
        text("chosen", "name of that model: none, constant, linear or gaussian_process"),
        number("constant", "percent", "baseline: mean of the other states of the curve"),
        number("linear", "percent", "Bayesian linear regression in temperature and pressure, without this state"),
        number("gaussian_process", "percent", "Gaussian process, without this state"),
    ),
)
