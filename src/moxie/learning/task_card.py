"""The model card of a task, from the content of its metrics.json and a few sentences of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCORES = {
    "rmse": "root-mean-square error",
    "mae": "mean absolute error",
    "r2": "R2",
    "coverage": "coverage",
    "interval_width": "interval width",
}


@dataclass(frozen=True)
class Words:
    """What only the task itself can say: paragraphs, the names of its models, and the limits as a list."""

    predicts: str
    intended_use: str
    data: str
    model: str
    evaluation: str
    names: Mapping[str, str]
    limits: Sequence[str]
    more: Sequence[tuple[str, str]] = ()  # further sections: heading and text


def model_card(metrics: Mapping[str, Any], words: Words) -> str:
    """Return the card as Markdown.

    `metrics` has task, confidence, groups, unit, split, seed, and where they exist models, learning_curve and
    importance, in the shapes that the tasks' docstrings give.
    """
    percent = f"{100 * metrics['confidence']:g} %"
    unit = "" if metrics["unit"] == "1" else f"; errors and widths in {metrics['unit']}"
    lines = [f"# Model card: {metrics['task']}", "", words.predicts, ""]
    for heading, text in (("Intended use", words.intended_use), ("Data", words.data), ("Model", words.model)):
        lines += [f"## {heading}", "", text, ""]
    lines += ["## Evaluation", "", f"Split: {metrics['split']}. {words.evaluation}", ""]
    if metrics.get("models"):
        lines += [
            f"In brackets the {percent} interval over {of_groups(metrics['groups'])}, each left out in turn "
            f"(jackknife, Student's t){unit}. Coverage and width belong to the {percent} predictive interval.",
            "",
            f"| model | {' | '.join(SCORES.values())} |",
            f"|---|{'---|' * len(SCORES)}",
            *(
                f"| {words.names.get(name, name)} | {' | '.join(with_interval(scores[key]) for key in SCORES)} |"
                for name, scores in metrics["models"].items()
            ),
            "",
        ]
    if metrics.get("learning_curve"):
        lines += ["Learning curve (root-mean-square error): " + _curve(metrics["learning_curve"], words.names), ""]
    if metrics.get("importance"):
        lines += [
            f"Importance (growth of the error when a block of features is shuffled among held-out rows, {percent} "
            "interval over groups): "
            + "; ".join(
                f"{entry['block']} {number(entry['increase'])} ({number(entry['low'])} to {number(entry['high'])})"
                for entry in metrics["importance"]
            )
            + ".",
            "",
        ]
    for heading, text in words.more:
        lines += [f"## {heading}", "", text, ""]
    lines += [
        "## Limits",
        "",
        *(f"* {limit}" for limit in words.limits),
        "* The file `model.skops` holds scikit-learn estimators, numbers and texts only; "
        "`moxie.learning.storage.load_model` refuses any other type.",
        "",
        f"Seed {metrics['seed']}.",
    ]
    return "\n".join(lines) + "\n"


def _curve(entries: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    parts: dict[str, list[str]] = {}
    for entry in entries:
        parts.setdefault(entry["model"], []).append(f"{entry['n']:.0f}: {entry['rmse']:.3g}")
    return "; ".join(f"{names.get(model, model)} {', '.join(points)}" for model, points in parts.items()) + "."


def of_groups(groups: Mapping[str, Any]) -> str:
    """Return in words how many groups stand behind an interval, and how many equal ones they are worth."""
    text = f"{groups['number']} {groups['name']}"
    few = groups["effective"] < 0.95 * groups["number"]
    return text + (f" of unequal size, worth {groups['effective']:.1f} equal ones" if few else "")


def compared(ratio: Mapping[str, float | None], other: str, confidence: float) -> str:
    """Return in words what the ratio of the model's error to that of another one says."""
    text = f"Error relative to {other}: {number(ratio['value'])} ({100 * confidence:g} % interval "
    return f"{text}{number(ratio['low'])} to {number(ratio['high'])}). {verdict(ratio)}"


def verdict(ratio: Mapping[str, float | None]) -> str:
    """Return what the interval of a ratio of errors allows to say."""
    low, high = ratio["low"], ratio["high"]
    if high is not None and high < 1:
        return "It is the better one."
    worse = low is not None and low > 1
    return "It is the worse one." if worse else "The two cannot be told apart on these data."


def against_all(ratios: Mapping[str, Mapping[str, float | None]], names: Mapping[str, str], confidence: float) -> str:
    """Return in words how the model's error compares with every other one's, and whether it is shown to beat them."""
    each = "; ".join(
        f"{names.get(other, other)} {number(r['value'])} ({number(r['low'])} to {number(r['high'])})"
        for other, r in ratios.items()
    )
    open_ones = [names.get(o, o) for o, r in ratios.items() if verdict(r) != "It is the better one."]
    text = f"Errors relative to others ({100 * confidence:g} % intervals): {each}. Verdict: "
    if not open_ones:
        return text + "better than every one of them."
    return text + f"not shown to be better than {', '.join(open_ones)}."


def with_interval(score: Mapping[str, float | None]) -> str:
    """Return a score with its interval in brackets."""
    return f"{number(score['value'])} ({number(score['low'])} to {number(score['high'])})"


def number(value: float | None) -> str:
    """Return a number with three digits, or a word where there is none."""
    return "unknown" if value is None else f"{value:.3g}"
