"""The report of a study: one self-contained page, made from the tables, the figures and the manifest."""

import base64
import math
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.features.schemas import ELECTROLYTES, LIQUIDS, MOLECULES, OXIDE_RUNS, VALIDATION
from moxie.features.tables import read_table
from moxie.features.verdicts import ACCURACY_GOAL_PERCENT, RULES, WITHIN
from moxie.figures import registry
from moxie.figures.citing import citations
from moxie.figures.findings import findings
from moxie.figures.front_page import front_page
from moxie.figures.parts import LOGP_MODELS, VERDICT_COLOURS, model_name, pretty_name
from moxie.figures.viewer import film_view
from moxie.figures.wording import duration, listed, percent, plain_label, signed, unit_text, with_error
from moxie.io import read_json, write_text
from moxie.kinetics import thickness_nm

_GASES = {"dry_O2": "dry O₂", "steam": "steam"}
_HARDLY_GROWN = 0.1
_WORST_FIRST = ("deviates", "no-verdict", "within", "agrees")
DATA_FILES = ("report_template.html", "film_viewer.html")  # a job depends on them
_MOST_NAMED = 6
_LARGEST_DATA_LINK = 400_000  # bytes; a larger CSV stays beside the report only
_LARGEST_SVG = 1_500_000  # bytes; above it the PNG is shown instead


def write_report(
    path: str | Path,
    *,
    config: Mapping[str, Any],
    figures: Mapping[str, str | Path],
    validation: str | Path | None = None,
    manifest: str | Path | None = None,
    oxide_runs: str | Path | None = None,
    electrolytes: str | Path | None = None,
    liquids: str | Path | None = None,
    molecules: str | Path | None = None,
    metrics: str | Path | None = None,
    logp: str | Path | None = None,
    film: str | Path | None = None,
    tree_search: str | Path | None = None,
    settings: str | Path | None = None,
) -> None:
    """Write the report, whole or not at all.

    config: a study's whole configuration (`StudyConfig.model_dump`), defaults included. figures: {name: path of its
    .svg}, with .png and .csv beside it. film: the network that can be turned around. The others are paths of the tables
    and JSON files of these names, or None where the study has none. The page loads nothing from anywhere. Raises
    InputError naming a file that is missing or damaged.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    study = config["study"]
    comparison = read_table(validation, VALIDATION) if validation else None
    figures = {name: path for name, path in figures.items() if not shows_nothing(path)}
    record = read_json(manifest) if manifest else {}
    scores = read_json(metrics) if metrics else None
    partition = read_json(logp) if logp else None
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("report_template.html").render(
        name=study["name"],
        title=study["title"],
        made=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        setup=describe_setup(config, surrogate=scores is not None, partition=partition is not None),
        findings=findings(
            comparison,
            read_table(oxide_runs, OXIDE_RUNS) if oxide_runs else None,
            read_table(electrolytes, ELECTROLYTES) if electrolytes else None,
            scores,
            partition,
            read_json(tree_search) if tree_search else None,
            read_json(settings) if settings else None,
            read_table(liquids, LIQUIDS) if liquids else None,
        ),
        sections=_sections(figures),
        film=film_view(film) if film else None,
        comparison=[] if comparison is None else _worst_first(comparison),
        front=front_page(comparison) | _first_picture(figures) if comparison is not None and len(comparison) else None,
        rules=_verdict_rules(set() if comparison is None else set(comparison["quantity"])),
        force_fields=_force_field_rows(figures),
        scores=scores,
        score_rows=_score_rows(scores) if scores else [],
        logp=partition,
        logp_rows=_score_rows(partition) if partition else [],
        run_times=run_times(record.get("jobs", [])),
        provenance=_provenance(record, config),
        citations=citations(config, metadata.version("moxie")),
        limits=[
            *_limits(config, comparison, scores),
            *_left_out(read_table(molecules, MOLECULES) if molecules else None),
        ],
    )
    write_text(path, page)


def run_times(jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per rule, longest first: number of jobs, wall and CPU time, the longest job, peak memory.

    Each job is {"rule", "wildcards", "wall_s", "cpu_s", "max_rss_MB"}; numbers that are missing count as unknown.
    """
    rules: dict[str, list[Mapping[str, Any]]] = {}
    for job in jobs:
        rules.setdefault(str(job["rule"]), []).append(job)
    rows: list[dict[str, Any]] = []
    for rule, members in rules.items():
        wall = [float(job["wall_s"]) for job in members if job.get("wall_s") is not None]
        cpu = [float(job["cpu_s"]) for job in members if job.get("cpu_s") is not None]
        memory = [float(job["max_rss_MB"]) for job in members if job.get("max_rss_MB") is not None]
        rows.append(
            {
                "rule": rule,
                "n_jobs": len(members),
                "wall_s": sum(wall),
                "wall": duration(sum(wall)),
                "longest": duration(max(wall, default=0.0)),
                "cpu": duration(sum(cpu)) if cpu else "–",
                "memory": f"{max(memory):.0f} MB" if memory else "–",
            }
        )
    rows.sort(key=lambda row: -row["wall_s"])
    longest = max((row["wall_s"] for row in rows), default=0.0) or 1.0
    return [row | {"share": 100 * row["wall_s"] / longest} for row in rows]


def describe_setup(
    config: Mapping[str, Any], surrogate: bool = True, partition: bool = True
) -> list[tuple[str, list[str]]]:
    """Return (heading, lines) of what was run, from the configuration; `surrogate` and `partition`: whether that of the
    oxide and that of partition coefficients were learnt."""
    parts: list[tuple[str, list[str]]] = []
    systems = config["dynamics"]["systems"] if config["dynamics"] else {}
    if systems:
        parts.append(("Molecular dynamics", [_describe_system(name, system) for name, system in systems.items()]))
    oxidation = config["oxidation"]
    if oxidation:
        parts.append(("Oxidation of silicon", _describe_oxidation(oxidation)))
    chemistry = config["quantum_chemistry"]
    if chemistry:
        names = "; ".join(f"{pretty_name(name)} ({smiles})" for name, smiles in config["molecules"].items())
        contents = [names] if names else []
        if chemistry["molecule_lists"]:
            contents.append(f"the molecules of {', '.join(chemistry['molecule_lists'])}")
        parts.append(
            ("Quantum chemistry", [f"{chemistry['method']} geometries and orbitals of {each}." for each in contents])
        )
    learning = config["learning"]
    if learning:
        target = plain_label(learning["target"]).capitalize()
        line = f"{target} of an oxide film from temperature and oxygen content, leaving one temperature out at a time."
        lines = [line] if surrogate else []
        lines += ["Octanol-water partition coefficients of molecules, leaving scaffolds out."] if partition else []
        lines += _describe_placements(learning["placements"]) + _describe_tree_search(learning["tree_search"])
        if lines:
            parts.append(("Learning", lines))
    return parts


def _describe_placements(placements: Mapping[str, Any] | None) -> list[str]:
    if not placements:
        return []
    return [
        f"Energies of oxygen on the bonds of 16 Si, learnt from up to {placements['trained_up_to']} O and tested up to "
        f"{placements['tested_up_to']}."
    ]


def _describe_tree_search(search: Mapping[str, Any] | None) -> list[str]:
    if not search:
        return []
    return [
        f"The placement of {search['n_oxygen']} O of lowest energy on the cell {search['cell']}, searched for with "
        f"{', '.join(plain_label(method) for method in search['methods'])}; {search['seeds']} searches each, of "
        f"{search['budget']} relaxations."
    ]


def _describe_system(name: str, system: Mapping[str, Any]) -> str:
    contents = " + ".join(f"{count} {pretty_name(molecule)}" for molecule, count in system["composition"].items())
    temperatures = ", ".join(f"{value:g}" for value in system["temperatures_K"])
    pressures = ", ".join(f"{value:g}" for value in system["pressures_bar"])
    state = f"{system['ensemble']} at {temperatures} K"
    if system["ensemble"] == "NPT":
        state += f" and {pressures} bar"
    elif system["density_g_cm3"]:
        state += f" and {system['density_g_cm3']:g} g/cm³"
    sampled = f", {system['sampling_ps']:g} ps sampled"
    repeated = f", {system['replicas']} replicas" if system["replicas"] > 1 else ""
    sources = system["force_field"]
    force_field = " + ".join(
        model_name(Path(str(source)).stem)
        for source in dict.fromkeys(sources.values() if isinstance(sources, Mapping) else [sources])
    )
    if system["charge_scale"]:
        force_field += f", charges of ions × {system['charge_scale']:g}"
    return f"{pretty_name(name)}: {contents}, {force_field}, {state}{sampled}{repeated}."


def _describe_oxidation(oxidation: Mapping[str, Any]) -> list[str]:
    recipe, slab = oxidation["recipe"], oxidation["slab"]
    surfaces = " and ".join(f"Si({orientation})" for orientation in oxidation["orientations"])
    temperatures = ", ".join(f"{value:g}" for value in oxidation["temperatures_K"])
    gas = _GASES.get(recipe["ambient"], recipe["ambient"])
    earlier = "".join(
        f"after {step['time_s']:g} s in {_GASES.get(step['ambient'], step['ambient'])} at {step['temperature_K']:g} K, "
        for step in recipe["steps"]
    )
    size = f"a slab of {' × '.join(str(count) for count in slab['cells'])} cells"
    return [
        f"Recipe: {recipe['time_s']:g} s in {gas} at {recipe['pressure_bar']:g} bar on "
        f"{surfaces} with {recipe['initial_oxide_nm']:g} nm of oxide to start with, {earlier}at "
        f"{temperatures} K; thickness from {pretty_name(recipe['kinetics']).title().replace(' ', '–')} kinetics.",
        f"Monte Carlo on {slab['structure'] or size}, {oxidation['replicas']} replicas at each temperature, "
        f"energy parameters {model_name(Path(oxidation['parameter_set']).stem)}; oxide thickness "
        f"{oxidation['thickness_scale']:g} × that of the recipe.",
    ]


def _sections(figures: Mapping[str, str | Path]) -> list[dict[str, Any]]:
    sections: dict[str, list[dict[str, Any]]] = {}
    for number, name in enumerate((name for name in registry.names() if name in figures), start=1):
        figure, path = registry.get(name), Path(figures[name])
        sections.setdefault(figure.category, []).append(
            {
                "name": name,
                "number": number,
                "title": figure.title,
                "caption": figure.caption,
                "alt": f"Chart. {figure.caption.split('; ')[0].split('. ')[0]}",
                "image": _image(path),
                "data": _data_link(path.with_suffix(".csv")),
            }
        )
    unknown = sorted(set(figures) - set(registry.names()))
    if unknown:
        raise InputError(f"There are no figures {', '.join(unknown)}; the figures are {', '.join(registry.names())}.")
    return [
        {"title": title, "anchor": f"part-{_anchor(title)}", "figures": content} for title, content in sections.items()
    ]


def shows_nothing(svg: str | Path) -> bool:
    """Return whether a figure has no data to show (`registry.NothingToDraw`)."""
    csv = Path(svg).with_suffix(".csv")
    return csv.is_file() and csv.read_text(encoding="utf-8").startswith(registry.NOTHING)


def _image(svg: Path) -> dict[str, Any]:
    """Return the data address of a figure and its width in CSS pixels."""
    png = svg.with_suffix(".png")
    for path in (svg, png):
        if not path.is_file():
            raise InputError(f"{path} does not exist.")
    head = svg.read_bytes()[:2000].decode("utf-8", "replace")
    match = re.search(r'width="([\d.]+)pt"', head)
    width = round(float(match[1]) * 4 / 3 * 1.12) if match else 600
    if svg.stat().st_size <= _LARGEST_SVG:
        return {"address": _data_address(svg, "image/svg+xml"), "width": width}
    return {"address": _data_address(png, "image/png"), "width": width}


def _data_link(csv: Path) -> str | None:
    if not csv.is_file() or csv.stat().st_size > _LARGEST_DATA_LINK:
        return None
    return _data_address(csv, "text/csv")


def _data_address(path: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _comparison_rows(comparison: Any) -> list[dict[str, Any]]:
    """Return the rows of the validation table for the page, worst first."""
    rows = [_comparison_row(row) for row in comparison.to_dict("records")]
    return sorted(rows, key=lambda row: (_WORST_FIRST.index(row["css"]), -abs(row["deviation_order"])))


def _worst_first(comparison: Any) -> list[dict[str, Any]]:
    """Return the rows of the table of all comparisons."""
    return sorted(
        (_comparison_row(row) for row in comparison.to_dict("records")),
        key=lambda row: (_WORST_FIRST.index(row["css"]), -abs(row["deviation_order"])),
    )


def _comparison_row(row: Mapping[str, Any]) -> dict[str, Any]:
    def number(name: str, form: str = "g") -> str:
        return signed(format(row[name], form)) if math.isfinite(row[name]) else "–"

    unit = unit_text(row["unit"])
    start = next(name for name in VERDICT_COLOURS if row["verdict"].startswith(name))
    return {
        "stage": row["stage"],
        "system": pretty_name(row["system"]),
        "model": model_name(row["model"]),
        "temperature": number("temperature_K"),
        "quantity": plain_label(row["quantity"]) + (f", {unit}" if unit else ""),
        "value": with_error(row["value"], row["standard_error"]),
        "value_order": row["value"],
        "n": number("n_independent", ".0f"),
        "reference": with_error(row["reference_value"], row["reference_error"]),
        "kind": row["reference_kind"],
        "source": row["source"],
        "checked": row["checked"] == "verified",
        "deviation": percent(row["deviation_percent"]),
        "deviation_order": row["deviation_percent"] if math.isfinite(row["deviation_percent"]) else 0.0,
        "z": number("z_score", "+.1f"),
        "z_order": row["z_score"] if math.isfinite(row["z_score"]) else 0.0,
        "verdict": row["verdict"],
        "tested": row["tested"],
        "css": start.replace(" ", "-"),
    }


def _force_field_rows(figures: Mapping[str, str | Path]) -> list[dict[str, str]]:
    """Return the rows of the comparison of force fields, from the data of its figure; none without that figure."""
    import pandas

    if "force_fields" not in figures:
        return []
    table = pandas.read_csv(Path(figures["force_fields"]).with_suffix(".csv"), dtype={"force_field_sha256": str})
    return [
        {
            "liquid": pretty_name(row["liquid"]),
            "state": f"{row['temperature_K']:g} K, {row['pressure_bar']:g} bar",
            "quantity": plain_label(row["quantity"]) + (f", {unit}" if (unit := unit_text(row["unit"])) else ""),
            "force_field": model_name(row["force_field"]),
            "variant": row["force_field_sha256"],
            "value": with_error(row["value"], row["standard_error"]),
            "reference": with_error(row["reference_value"], None),
            "deviation": percent(row["deviation_percent"]),
        }
        for row in table.to_dict("records")
    ]


def _first_picture(figures: Mapping[str, str | Path]) -> dict[str, Any]:
    """Return the picture of the first screen and its caption, without either where the study did not draw it."""
    name = "deviations"
    there = name in figures
    return {
        "image": _image(Path(figures[name])) if there else None,
        "image_caption": registry.get(name).caption if there else "",
    }


def _verdict_rules(compared: Collection[str]) -> list[str]:
    """Return the rules of the verdict as sentences, with the accuracies asked of the quantities that are compared."""
    goals = [f"{plain_label(name)} {goal:g} %" for name, goal in ACCURACY_GOAL_PERCENT.items() if name in compared]
    reasons = {rule: rule.reason for rule in RULES if goals or rule != WITHIN}
    if goals:
        reasons[WITHIN] += f" These are: {', '.join(goals)}."
    return [f"“{rule.verdict.replace('{goal:g}', 'g')}” – {reason}" for rule, reason in reasons.items()]


def _score_rows(scores: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the rows of a task's table of scores, with the name of each model under `key`."""
    names = {
        "gaussian_process": "Gaussian process",
        "linear_interpolation": "linear interpolation",
        "mean": "mean of the training rows",
        **LOGP_MODELS,
    }

    def cell(score: Mapping[str, float | None], form: str) -> str:
        if score["value"] is None:
            return "–"
        ends = f" ({score['low']:{form}} to {score['high']:{form}})" if score["low"] is not None else ""
        return signed(f"{score['value']:{form}}{ends}")

    return [
        {
            "key": name,
            "model": names.get(name, name),
            "rmse": cell(model["rmse"], ".3g"),
            "mae": cell(model["mae"], ".3g"),
            "r2": cell(model["r2"], ".2f"),
            "coverage": cell(model["coverage"], ".2f"),
            "width": cell(model["interval_width"], ".3g"),
        }
        for name, model in scores["models"].items()
    ]


def _provenance(record: Mapping[str, Any], config: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("base seed", str(config["seed"]))]
    commit = record.get("git_commit")
    if commit:
        rows.append(("git commit", str(commit)))
    platform = record.get("platform")
    if isinstance(platform, Mapping):
        rows += [(str(key), str(value)) for key, value in platform.items()]
    elif platform:
        rows.append(("platform", str(platform)))
    packages = record.get("packages", {})
    if packages:
        rows.append(("packages", ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))))
    return rows


def _limits(config: Mapping[str, Any], comparison: Any, scores: Mapping[str, Any] | None) -> list[str]:
    limits = []
    systems = config["dynamics"]["systems"] if config["dynamics"] else {}
    if systems:
        longest = max(system["sampling_ps"] for system in systems.values())
        limits.append(
            f"The liquids are small boxes sampled for at most {longest:g} ps. Their standard errors cover sampling, "
            "not the size of the box or what the force field leaves out."
        )
    if any(system["ensemble"] == "NVT" for system in systems.values()):
        limits.append(
            "Runs at fixed volume take their density from the configuration; it is an input there, not a result."
        )
    oxidation = config["oxidation"]
    if oxidation:
        limits.append(
            "The oxide films come from Monte Carlo on a bond network with a valence force field. It has no clock: time "
            "enters only through the growth kinetics, which set how much oxygen a film takes up, and the films are "
            f"{oxidation['thickness_scale']:g} × as thick as the recipe's. Temperature and thickness change "
            "together along the sweep, as they do in a furnace."
        )
        limits += growth_along_sweep(oxidation)
        if oxidation["replicas"] < 3:
            limits.append(
                "With one replica at each temperature the films have no standard error, hence no verdict."
                if oxidation["replicas"] == 1
                else "Two replicas at each temperature give a rough standard error: the 95 % interval of a mean of two "
                "reaches 12.7 standard errors to either side, and the verdicts use that factor."
            )
    chemistry = config["quantum_chemistry"]
    if chemistry:
        limits.append(
            f"{chemistry['method']} is a semi-empirical method with a minimal basis; its dipole moments are "
            "systematically too large."
        )
    if scores:
        limits.append(
            f"The surrogate was tested on {len(scores['temperatures_K'])} temperatures of one recipe. It says nothing "
            "about another recipe, and its lowest and highest temperature are extrapolations."
        )
    if comparison is not None and (comparison["checked"] != "verified").any():
        limits.append(
            "References marked “unchecked” are quoted from memory or from a secondary source. They are shown for "
            "orientation and take no part in any verdict."
        )
    return limits


def growth_along_sweep(oxidation: Mapping[str, Any]) -> list[str]:
    """Return, as at most one sentence, which films of a sweep hardly grew, from the configuration of the oxidation."""
    recipe, temperatures_K = oxidation["recipe"], sorted(oxidation["temperatures_K"])
    if recipe["steps"] or len(temperatures_K) < 2:
        return []
    facts = {name: value for name, value in recipe.items() if name != "steps"}
    start_nm, orientation = recipe["initial_oxide_nm"], min(oxidation["orientations"])
    thick_nm = [thickness_nm(temperature, orientation=orientation, **facts) for temperature in temperatures_K]
    same = [T for T, nm in zip(temperatures_K, thick_nm, strict=True) if nm - start_nm < _HARDLY_GROWN * start_nm]
    if not same:
        return []
    hottest = f" The hottest grow to {max(thick_nm):.2g} nm." if len(same) < len(temperatures_K) else ""
    return [
        f"Of the {len(temperatures_K)} temperatures, {len(same)} ({same[0]:g} to {same[-1]:g} K) add less than a tenth "
        f"to the {start_nm:g} nm that the recipe starts from: their films are equally thick and differ by temperature "
        f"alone.{hottest}"
    ]


def _left_out(molecules: Any) -> list[str]:
    """Return one sentence on the molecules without numbers, and one on those that carry a remark."""
    if molecules is None:
        return []
    sentences = []
    for rows, text in (
        (molecules[molecules["status"] != "ok"], "have no numbers and are left out of tables, figures and learning"),
        (molecules[molecules["remarks"] != ""], "carry a remark in the table of molecules"),
    ):
        if len(rows):
            reasons = rows["status"].where(rows["status"] != "ok", rows["remarks"])
            named = [f"{name} ({reason})" for name, reason in zip(rows["molecule"], reasons, strict=True)]
            more = len(named) - _MOST_NAMED
            named = named[:_MOST_NAMED] + ([f"{more} more"] if more > 0 else [])
            sentences.append(f"{len(rows)} of {len(molecules)} molecules {text}: {listed(named)}.")
    return sentences


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
