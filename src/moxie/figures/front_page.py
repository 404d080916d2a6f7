"""The first screen of the report: what to trust, what not, and the few numbers behind it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from moxie.features.summary import Summary, nth_reference, summarise
from moxie.figures.parts import model_name, pretty_name
from moxie.figures.wording import listed, percent, plain_label, unit_text, with_error

_ROOM_TEMPERATURE_K = 298.15
_MOST_NAMED = 4  # in one clause of the sentence
_MOST_ROWS = 8
_VERDICTS = {
    "deviates": "deviate",
    "no verdict": "cannot be judged",
    "within": "deviate, but by less than the accuracy asked for",
    "agrees": "agree within their error",
}


def front_page(validation: Any) -> dict[str, Any]:
    """Return what the first screen shows, from a validation table (`moxie.features.schemas.VALIDATION`).

    `sentences` are pairs of what one may do and with what; `rows` a small table, worst first; `counts` how many
    quantities of a model have which verdict; `checks` what was tested besides the model, in a sentence.
    """
    everything = summarise(validation)
    summaries = [each for each in everything if each.tested == "model"]
    return {
        "sentences": _sentences(summaries),
        "rows": _rows(validation, summaries),
        "counts": [
            {
                "count": sum(each.start == start for each in summaries),
                "text": text,
                "verdict": start,
                "css": start.replace(" ", "-"),
            }
            for start, text in _VERDICTS.items()
        ],
        "checks": _checks([each for each in everything if each.tested != "model"]),
    }


def _by_name(summaries: Sequence[Summary]) -> dict[str, list[Summary]]:
    """Return the summaries by the name of their quantity; the dipole moments of all molecules are one quantity."""
    found: dict[str, list[Summary]] = {}
    for each in summaries:
        found.setdefault(plain_label(each.quantity), []).append(each)
    return found


def _sentences(summaries: Sequence[Summary]) -> list[tuple[str, str]]:
    """Return (what one may do, the quantities) of what agrees, what is wrong, and what cannot be judged."""
    good, wrong, vague = [], [], []
    for name, group in _by_name(summaries).items():
        bad = [each for each in group if each.start == "deviates" or each.is_far]
        judged = [each for each in group if each.start != "no verdict"]
        if bad:
            furthest = max(abs(each.deviation_percent) for each in bad)
            wrong.append((furthest, f"{name} ({_off(bad)})"))
        elif judged:
            n = sum(each.n_states for each in judged)
            good.append((n, f"{name} ({n} comparison{'s' if n > 1 else ''})"))
        else:
            vague.append((0, name))
    parts = (
        ("Trust:", good),
        ("Do not trust:", wrong),
        ("Too little was sampled, or too little is known of the reference, to judge:", vague),
    )
    found = [
        (head, _some([text for _, text in sorted(names, key=lambda pair: -pair[0])]) + ".")
        for head, names in parts
        if names
    ]
    return found or [("Nothing to judge:", "no computed number has a reference.")]


def _off(bad: Sequence[Summary]) -> str:
    """Return how far some summaries are off, as "up to +37 %, liquid water" or "-12 %, Si(100)"."""
    furthest = max(bad, key=lambda each: abs(each.deviation_percent))
    one = "up to " if len(bad) > 1 else ""
    return f"{one}{percent(furthest.deviation_percent)}, {pretty_name(furthest.system)}"


def _some(names: Sequence[str]) -> str:
    """Return a list in words that names only so many."""
    shown = list(names[:_MOST_NAMED])
    more = len(names) - len(shown)
    return listed([*shown, *([f"{more} more below"] if more else [])])


def _rows(validation: Any, summaries: Sequence[Summary]) -> list[dict[str, str]]:
    """Return one row per quantity, of the system that does worst in it: the state nearest room temperature."""
    chosen: dict[str, Summary] = {}
    for each in summaries:  # worst first
        chosen.setdefault(plain_label(each.quantity), each)
    proved = [each for each in chosen.values() if each.start != "no verdict" or each.is_far]
    others = [each for each in chosen.values() if each not in proved]
    return [_small_row(validation, each) for each in [*proved, *others][:_MOST_ROWS]]


def _small_row(validation: Any, summary: Summary) -> dict[str, str]:
    same = validation.assign(nth_reference=nth_reference(validation))
    for name in ("stage", "system", "model", "quantity", "reference_kind", "tested", "nth_reference"):
        same = same[same[name] == getattr(summary, name)]
    far = (same["temperature_K"] - _ROOM_TEMPERATURE_K).abs().fillna(math.inf)
    line: Mapping[str, Any] = same.loc[far.idxmin()].to_dict()
    unit = unit_text(summary.unit)
    where = f" at {line['temperature_K']:g} K" if math.isfinite(line["temperature_K"]) else ""
    return {
        "quantity": plain_label(summary.quantity) + (f", {unit}" if unit else ""),
        "system": f"{pretty_name(summary.system)} ({model_name(summary.model)}){where}",
        "value": with_error(line["value"], line["standard_error"]),
        "reference": with_error(line["reference_value"], line["reference_error"]),
        "deviation": percent(summary.deviation_percent),
        "states": f"over {summary.n_states} states" if summary.n_states > 1 else "",
        "verdict": summary.verdict,
        "css": summary.start.replace(" ", "-"),
    }


def _checks(summaries: Sequence[Summary]) -> str:
    sentences = []
    for tested, text in (("code", "tests of the code"), ("bookkeeping", "checks of the bookkeeping")):
        group = [each for each in summaries if each.tested == tested]
        failed = [each for each in group if each.start == "deviates"]
        if group:
            outcome = f"all {len(group)} pass" if len(group) > 1 else "it passes"
            if failed:
                outcome = f"failed: {listed([plain_label(each.quantity) for each in failed])}"
            sentences.append(f"{text} ({len(group)}): {outcome}")
    return f"Not counted here: {'; '.join(sentences)}." if sentences else ""
