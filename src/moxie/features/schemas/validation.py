"""The table of comparisons with references."""

from moxie.features.schemas.columns import FORCE_FIELD_SHA256, ONE_VARIANT, maybe, number, text
from moxie.features.schemas.table import VARIES, Table

_KINDS = ("experiment", "simulation", "analytic")

# what a comparison says something about: the model, against nature or another's calculation; the code, against the same
# formula worked out elsewhere or an exact result; or the bookkeeping, against the study's own target
_TESTED = ("model", "code", "bookkeeping")

_CHECKED = ("verified", "literature, unchecked")

VALIDATION = Table(
    "validation",
    "Every compared number beside its reference.",
    ("stage", "system", "model", "temperature_K", "pressure_bar", "quantity", "reference_kind", "source"),
    (
        text("stage", "stage that made the number", "dynamics", "oxidation", "molecules", "learning"),
        text("system", "what was simulated"),
        text("model", "force field, parameter set or method"),
        text(FORCE_FIELD_SHA256.name, f"{FORCE_FIELD_SHA256.description}; empty text where no force field was"),
        maybe("temperature_K", "K", "temperature; empty where it has no meaning", 0.0, 5000.0),
        maybe("pressure_bar", "bar", "pressure; empty where it has no meaning", -1e5, 1e6),
        text("quantity", "name of the compared quantity"),
        text("unit", "unit of value, errors and reference"),
        number("value", VARIES, "computed value, mean over replicas"),
        maybe("standard_error", VARIES, "standard error of value; empty for a deterministic calculation", 0.0),
        maybe("n_independent", "1", "independent samples (or replicas) behind standard_error", 0.0),
        maybe("degrees_of_freedom", "1", "of standard_error; empty where 1.96 of it hold 95 % as they are", 1.0),
        number("reference_value", VARIES, "reference value"),
        maybe("reference_error", VARIES, "standard error of the reference, as far as it is known", 0.0),
        text("reference_kind", "where the reference comes from", *_KINDS),
        text("tested", "what the comparison tests: the model, the code, or the bookkeeping", *_TESTED),
        text("source", "source of the reference"),
        text("checked", "whether the reference was checked against its source", *_CHECKED),
        maybe("deviation_percent", "percent", "100 (value - reference_value) / |reference_value|"),
        maybe("z_score", "1", "(value - reference_value) / sqrt(standard_error^2 + reference_error^2)"),
        text("verdict", "see moxie.features.verdicts.verdict"),
    ),
    checks=(ONE_VARIANT,),
)
