"""The key results of a study in sentences, made from the computed numbers and nothing else."""

import math
from collections.abc import Mapping
from typing import Any

from moxie.features.approaches import compare_approaches
from moxie.features.replicas import over_approaches, over_replicas
from moxie.figures.parts import LOGP_MODELS, SEARCH_NAMES, model_name, of_first_orientation, pretty_name
from moxie.figures.wording import listed, percent, plain_label, with_error

_ROOM_TEMPERATURE_K = 298.15
_LARGEST_PENALTY = 50.0  # of parmchk2; terms of another element or bond order have hundreds


def findings(
    validation: Any,
    oxide_runs: Any = None,
    electrolytes: Any = None,
    metrics: Mapping[str, Any] | None = None,
    logp: Mapping[str, Any] | None = None,
    tree_search: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    liquids: Any = None,
) -> list[tuple[str, str]]:
    """Return (heading, sentences) of every part of the study that has results; tables are data frames."""
    parts = [] if validation is None else [("Liquids", _liquids(validation))]
    if electrolytes is not None and len(electrolytes):
        parts.append(("Electrolytes", _electrolytes(electrolytes, validation)))
    parts.append(("Force fields", _estimated_terms([table for table in (liquids, electrolytes) if table is not None])))
    if settings is not None:
        parts.append((f"Settings for {pretty_name(settings['system'])}", str(settings["sentence"])))
    if oxide_runs is not None and len(oxide_runs):
        parts.append(("Oxidised silicon", _oxides(oxide_runs, validation)))
    if validation is not None:
        parts.append(("Molecules", _molecules(validation)))
    if metrics is not None:
        parts.append(("Learning", _learning(metrics)))
    if logp is not None:
        parts.append(("Octanol-water partition", _logp(logp)))
    if tree_search is not None:
        parts.append(("Placing oxygen", _tree_search(tree_search)))
    return [(heading, text) for heading, text in parts if text]


def _liquids(validation: Any) -> str:
    rows = validation[validation["quantity"].isin(["density_g_cm3", "enthalpy_of_vaporisation_kJ_mol"])]
    rows = rows[rows["stage"] == "dynamics"]
    sentences = []
    for (system, model), group in rows.groupby(["system", "model"]):
        nearest = group["temperature_K"].iloc[(group["temperature_K"] - _ROOM_TEMPERATURE_K).abs().argmin()]
        here = group[group["temperature_K"] == nearest].drop_duplicates("quantity").set_index("quantity")
        clauses = []
        for quantity, unit in (("density_g_cm3", "g/cm³"), ("enthalpy_of_vaporisation_kJ_mol", "kJ/mol")):
            if quantity in here.index:
                row = here.loc[quantity]
                clauses.append(
                    f"{plain_label(quantity)} {with_error(row['value'], row['standard_error'])} {unit}, experiment "
                    f"{row['reference_value']:.4g} ({percent(row['deviation_percent'])})"
                )
        sentences.append(
            f"{pretty_name(system).capitalize()} ({model_name(model)}) at {nearest:g} K: {'; '.join(clauses)}."
        )
    density = rows[rows["quantity"] == "density_g_cm3"]["deviation_percent"].abs()
    if len(density) > 1:
        sentences.append(f"Over all state points no density is further than {density.max():.2g} % from experiment.")
    return " ".join(sentences)


def _estimated_terms(tables: list[Any]) -> str:
    """Return a warning of force fields with terms that were estimated from unlike ones."""
    sentences = []
    for table in tables:
        poor = table[table["force_field_penalty"] > _LARGEST_PENALTY].drop_duplicates(["system", "force_field"])
        sentences += [
            f"Some terms of {pretty_name(row.system)} in {model_name(row.force_field)} are estimated from unlike ones "
            f"(penalty {row.force_field_penalty:.3g}; above {_LARGEST_PENALTY:g} they need a check)."
            for row in poor.itertuples()
        ]
    return " ".join(sentences)


def _electrolytes(table: Any, validation: Any) -> str:
    sentences = []
    for (system, model, temperature), runs in table.groupby(["system", "force_field", "temperature_K"]):
        known = validation[
            (validation["system"] == system)
            & (validation["model"] == model)
            & (validation["temperature_K"] == temperature)
        ].set_index("quantity")["reference_value"]
        clauses = []
        cations, anions = runs["cations"].iloc[0], runs["anions"].iloc[0]
        for quantity, text in (
            ("cation_water_coordination", f"water oxygens around a cation ({cations})"),
            ("cation_anion_coordination", f"coordinating atoms of {anions} around it"),
            ("cation_contact_fraction", f"of the cations in contact with {anions}"),
        ):
            estimate = over_replicas(
                runs[quantity], runs[f"{quantity}_standard_error"], runs[f"{quantity}_n_independent"]
            )
            if estimate is None:
                continue
            factor, sign = (100, " %") if quantity == "cation_contact_fraction" else (1, "")
            published = f" (deposited: {factor * known[quantity]:.3g}{sign})" if quantity in known.index else ""
            number = with_error(factor * estimate.value, factor * estimate.standard_error)
            clauses.append(f"{number}{sign} {text}{published}")
        if clauses:
            name = f"{pretty_name(str(system))} ({model_name(str(model))}) at {temperature:g} K"
            sentences.append(f"In {name} there are {listed(clauses)}.")
    return " ".join(sentences)


def _oxides(runs: Any, validation: Any) -> str:
    final, face = of_first_orientation(runs[runs["is_final"]])
    others = sorted(set(runs["orientation"]) - {face})
    temperatures = sorted(final["temperature_K"].unique())
    low, high = temperatures[0], temperatures[-1]

    def at(temperature: float, quantity: str) -> str:
        estimate = over_approaches(final[final["temperature_K"] == temperature], quantity)
        return "unknown" if estimate is None else with_error(estimate.value, estimate.standard_error)

    def mean(quantity: str) -> float:
        return float(final[quantity].mean())

    replicas = final.groupby("temperature_K")["replica"].nunique()
    n_replicas = f"{replicas.min()} replica{'s' if replicas.min() > 1 else ''} each"
    if final["approach"].nunique() > 1:
        n_replicas += ", from the disordered and from the ordered side"
    sentences = [
        f"{len(final)} films on Si({face}) at {len(temperatures)} temperatures from {low:g} to {high:g} K "
        f"({n_replicas}), {_range(final['oxide_thickness_nm'])} nm thick: the recipe's "
        f"thickness times {final['thickness_scale'].iloc[0]:g}, so that they fit the slab."
    ]
    shares, width = [mean(f"suboxide_fraction_{n}") for n in (1, 2, 3)], mean("transition_width_A")
    if all(math.isfinite(share) for share in shares):
        sentences.append(
            "Averaged over temperature the suboxide is Si¹⁺ : Si²⁺ : Si³⁺ = "
            + " : ".join(f"{share:.2f}" for share in shares)
            + " (photoemission: 0.3 : 0.3 : 0.4)"
            + f", {mean('suboxide_total_monolayers'):.2g} monolayers in all"
            + (f", over a width of {width:.2g} Å (photoemission: 5 ± 1 Å)." if math.isfinite(width) else ".")
        )
    if low != high:
        clauses = []
        for quantity, unit in (
            ("suboxide_total_monolayers", "monolayers"),
            ("strain_energy_eV_per_atom", "eV per mobile atom"),
            ("si_o_si_angle_deg", "°"),
        ):
            space = "" if unit == "°" else " "
            clauses.append(f"{plain_label(quantity)} {at(low, quantity)} → {at(high, quantity)}{space}{unit}")
        sentences.append(
            f"From {low:g} to {high:g} K, with the thickness growing along: {'; '.join(clauses)} (brackets: standard "
            "error over films, in units of the last digit)."
        )
    sentences.append(_sides(final))
    if others:
        sentences.append(f"Films on {listed([f'Si({other})' for other in others])}: see the figure of orientations.")
    oxide = validation[validation["stage"] == "oxidation"]
    worst = oxide[oxide["verdict"] == "deviates"]
    if len(worst):
        names = list(dict.fromkeys(plain_label(quantity) for quantity in worst["quantity"]))
        sentences.append(f"What deviates from its reference beyond its error: {listed(names)}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _sides(final: Any) -> str:
    """Return how many of the suboxide's quantities the two sides of an approach agree in; nothing for one side."""
    table = compare_approaches(final)
    table = table[table["quantity"].str.startswith("suboxide")]
    if table.empty:
        return ""
    counts = table["verdict"].value_counts()
    said = listed([f"{count} {verdict}" for verdict, count in counts.items()])
    gap = table.loc[table["quantity"] == "suboxide_total_monolayers", "gap"].mean()
    return (
        f"Amount and shares of the suboxide, from both sides: {said}. In the mean over temperatures the ordered side "
        f"holds {abs(gap):.2g} monolayers {'more' if gap > 0 else 'less'}."
    )


def _molecules(validation: Any) -> str:
    rows = validation[(validation["stage"] == "molecules") & (validation["quantity"] == "dipole_D")]
    if rows.empty:
        return ""
    sentences = []
    for model, part in rows.groupby("model", sort=False):
        clauses = []
        for system, group in part.groupby("system", sort=False):
            known = group.sort_values("reference_value")
            values = " or ".join(f"{value:.2f}" for value in known["reference_value"])
            deviations = " or ".join(percent(value) for value in known["deviation_percent"])
            unchecked = "" if (known["checked"] == "verified").all() else ", unchecked"
            computed = f"{pretty_name(str(system))} {known['value'].iloc[0]:.2f} D"
            clauses.append(f"{computed}, experiment {values} D{unchecked} ({deviations})")
        sentences.append(f"Dipole moments by {model}: {'; '.join(clauses)}.")
    return " ".join(sentences)


def _learning(metrics: Mapping[str, Any]) -> str:
    models = metrics["models"]
    process, linear, mean = (models[name]["rmse"] for name in ("gaussian_process", "linear_interpolation", "mean"))
    coverage = models["gaussian_process"]["coverage"]["value"]
    unit = "" if metrics["unit"] == "1" else f" {metrics['unit']}"
    floor = metrics["noise"]["standard_deviation"]
    percent_text = f"{100 * metrics['confidence']:g} %"
    text = (
        f"The Gaussian process predicts the {plain_label(metrics['target'])} at temperatures it has never seen with a "
        f"root-mean-square error of {process['value']:.2g}{unit} ({percent_text} interval {process['low']:.2g} to "
        f"{process['high']:.2g}); linear interpolation {linear['value']:.2g}, the mean {mean['value']:.2g}"
    )
    text += f", replicas differ by {floor:.2g}. " if floor is not None else ". "
    text += f"Its {percent_text} interval holds {100 * coverage:.0f} % of the held-out films. "
    best = min(metrics["rmse_ratios"], key=lambda name: models[name]["rmse"]["value"])
    ratio, name = metrics["rmse_ratios"][best], plain_label(best)
    if ratio["high"] < 1:
        text += f"It is better than the best baseline, {name}"
    elif ratio["low"] > 1:
        text += f"It is worse than the best baseline, {name}"
    else:
        text += f"On these data it cannot be told apart from the best baseline, {name}"
    return text + f" (ratio of the errors {ratio['value']:.2f}, {ratio['low']:.2f} to {ratio['high']:.2f})."


def _logp(metrics: Mapping[str, Any]) -> str:
    models = metrics["models"]
    best = models[metrics["best"]]
    percent_text = f"{100 * metrics['confidence']:g} %"
    others = "; ".join(
        f"{name} {models[key]['rmse']['value']:.2f}" for key, name in LOGP_MODELS.items() if key != metrics["best"]
    )
    leak = metrics["leakage"][metrics["best"]]
    return (
        f"The partition coefficients of {metrics['n_rows']} molecules, whole scaffolds held out, come out with a "
        f"root-mean-square error of {best['rmse']['value']:.2f} log units ({percent_text} interval "
        f"{best['rmse']['low']:.2f} to {best['rmse']['high']:.2f}) with the model that the inner folds choose; "
        f"{others}. The {percent_text} intervals hold {100 * best['coverage']['value']:.0f} % of the held-out "
        f"molecules. A random split, which tears homologous series apart, would have claimed {leak['random_rmse']:.2f}."
    )


def _tree_search(metrics: Mapping[str, Any]) -> str:
    methods = metrics["methods"]
    percent_text = f"{100 * metrics['confidence']:g} %"
    ranked = sorted(methods, key=lambda name: methods[name]["cost"]["value"])
    target = "the optimum" if metrics["target_is_optimum"] else "the lowest energy that any search found"
    known = f", {metrics['n_orbits']} different ones by symmetry, all relaxed" if metrics["n_orbits"] else ""
    rival = methods[ranked[0]].get("rival")
    next_one = ""
    if rival:
        ends = rival["cost_ratio"]
        next_one = f" Against the next, {SEARCH_NAMES[rival['method']]}, its cost is {ends['value']:.2f} "
        next_one += f"({ends['low']:.2f} to {ends['high']:.2f})."
    clauses = []
    for name in ranked:
        cost = methods[name]["cost"]
        clauses.append(
            f"{SEARCH_NAMES[name]} {cost['value']:.0f} ({cost['low']:.0f} to {cost['high']:.0f}), "
            f"{100 * methods[name]['success']:.0f} % found"
        )
    return (
        f"{_cheapest(methods, ranked)} {metrics['n_oxygen']} O on the {metrics['n_sites']} bonds of {metrics['cell']} "
        f"have {metrics['n_placements']:,} placements{known}. The mean number of relaxations to {target}, failures "
        f"counted with the whole budget of {metrics['budget']} ({percent_text} interval over {metrics['seeds']} "
        f"seeds): {'; '.join(clauses)}.{next_one}"
    )


def _cheapest(methods: Mapping[str, Any], ranked: list[str]) -> str:
    """Return in one sentence which search for the best places of O is the cheapest."""
    first = SEARCH_NAMES[ranked[0]]
    if "annealing" not in methods or len(methods) == 1:
        return f"The cheapest search for the best places of O: {first}."
    if ranked[0] == "annealing":
        return "Simulated annealing wins: no other search for the best places of O is cheaper."
    ratio = methods[ranked[0]]["cost_ratio"]
    interval = f"{ratio['value']:.2f} of its cost, {ratio['low']:.2f} to {ratio['high']:.2f}"
    if ratio["high"] < 1:
        return f"The cheapest search for the best places of O, {first}, beats simulated annealing ({interval})."
    return (
        f"The cheapest search for the best places of O, {first}, cannot be told apart from simulated annealing "
        f"({interval})."
    )


def _range(values: Any) -> str:
    low, high = f"{values.min():.2g}", f"{values.max():.2g}"
    return low if low == high else f"{low} to {high}"
