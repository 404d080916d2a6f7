"""The page of measured numbers: what the learning tasks of a study found, from the files that the run left."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.errors import InputError
from moxie.learning.task_card import of_groups, with_interval

_HEAD = """# Learning: measured

Written by `python -m moxie measured RESULTS PAGE` from the files named below; do not edit. What the numbers
mean stands in [learning](../theory/learning.md) and [tree search](../theory/tree_search.md).
"""


def write_page(results: str | Path, page: str | Path) -> None:
    """Write the page of all tasks whose metrics.json lies below a results folder; raises InputError if none does."""
    from moxie.io import read_json, write_text

    folder = Path(results) / "learning"
    found = {path.parent.name: read_json(path) for path in sorted(folder.glob("*/metrics.json"))}
    if not found:
        raise InputError(f"{folder} holds no metrics.json. Run a study with learning first.")
    parts = [_HEAD, _origin(Path(results))]
    for name, metrics in found.items():
        parts.append(_searches(metrics) if name == "tree_search" else _task(name, metrics))
    write_text(page, "\n".join(part for part in parts if part))


def _origin(results: Path) -> str:
    from moxie.io import read_json

    path = results / "manifest.json"
    if not path.is_file():
        return ""
    manifest = read_json(path)
    return f"Commit {manifest['git_commit']}.\n" if manifest.get("git_commit") else ""


def _task(name: str, metrics: Mapping[str, Any]) -> str:
    """Return a task's section: what was split, the models with their intervals, ratios, and kinds of rows."""
    percent = f"{100 * metrics['confidence']:g} %"
    lines = [f"## `{name}`", ""]
    lines += [f"`learning/{name}/metrics.json`: {metrics['n_rows']} rows. Split: {metrics['split']}."]
    if "groups" in metrics:
        lines += [f"In brackets {percent} intervals over {of_groups(metrics['groups'])}."]
    if metrics.get("models"):
        unit = "" if metrics["unit"] == "1" else f" ({metrics['unit']})"
        lines += ["", f"| model | root-mean-square error{unit} | coverage of the {percent} interval |", "|---|---|---|"]
        lines += [
            f"| {model} | {with_interval(scores['rmse'])} | {with_interval(scores['coverage'])} |"
            for model, scores in metrics["models"].items()
        ]
    if metrics.get("rmse_ratios"):
        lines += ["", "| error relative to | ratio |", "|---|---|"]
        lines += [f"| {other} | {with_interval(ratio)} |" for other, ratio in metrics["rmse_ratios"].items()]
    if metrics.get("by_kind"):
        lines += ["", "| molecules | number | error | coverage | Wildman-Crippen |", "|---|---|---|---|---|"]
        lines += [
            f"| {p['kind']} | {p['n']} | {p['rmse']:.2f} | {p['coverage']:.2f} | {p['crippen_rmse']:.2f} |"
            for p in metrics["by_kind"]
        ]
    return "\n".join(lines) + "\n"


def _searches(metrics: Mapping[str, Any]) -> str:
    target = "the optimum" if metrics["target_is_optimum"] else "the lowest energy that any search found"
    lines = [
        "## Searches for places of oxygen",
        "",
        f"`learning/tree_search/metrics.json`: {metrics['n_oxygen']} O on the {metrics['n_sites']} bonds of "
        f"`{metrics['cell']}`, {metrics['seeds']} searches each, {metrics['budget']} relaxations each.",
        f"Cost: mean relaxations to {target}, failures counted with the whole budget.",
        f"In brackets {100 * metrics['confidence']:g} % intervals over seeds. Rival: the cheapest other search.",
        "",
        "| search | found | median | cost | cost relative to rival |",
        "|---|---|---|---|---|",
    ]
    for name, scores in sorted(metrics["methods"].items(), key=lambda item: item[1]["cost"]["value"]):
        median = f"> {metrics['budget']}" if scores["median"] is None else f"{scores['median']:.0f}"
        rival = scores.get("rival")
        against = f"{with_interval(rival['cost_ratio'])}, {rival['method']}" if rival else ""
        lines.append(
            f"| {name} | {100 * scores['success']:.0f} % | {median} | {with_interval(scores['cost'])} | {against} |"
        )
    return "\n".join(lines) + "\n"
