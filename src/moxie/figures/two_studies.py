"""Two studies against each other: the difference of every number as normal deviates."""

from pathlib import Path
from typing import Any

import numpy as np

from moxie.figures.parts import COLOURS, panels
from moxie.figures.wording import plain_label
from moxie.io import replace_when_complete

_MOST_LINES = 40


def draw(comparison: Any) -> Any:
    """Return the figure of a comparison (`moxie.features.two_studies.compare_studies`).

    Left: one line for each quantity of each table, its differences as points; the band is two combined errors wide to
    either side. Right: how often each difference occurs, beside the normal distribution that chance alone would give.
    """
    judged = comparison[np.isfinite(comparison["z_score"].to_numpy(float))]
    far = judged.assign(size=judged["z_score"].abs()).groupby(["table", "quantity"])["size"].max()
    lines = list(far.sort_values(ascending=False).index[:_MOST_LINES])[::-1]
    figure, axes = panels(1, 2, width=8.0, height=max(2.4, 0.6 + 0.19 * len(lines)), width_ratios=(2, 1))
    left, right = axes[0]
    left.axvspan(-2, 2, color="0.92", lw=0)
    for place, (table, quantity) in enumerate(lines):
        rows = judged[(judged["table"] == table) & (judged["quantity"] == quantity)]
        for surely, colour in ((False, COLOURS[0]), (True, COLOURS[1])):
            z = rows.loc[rows["surely"] == surely, "z_score"]
            left.plot(z, np.full(len(z), place), ls="", marker="o", ms=3, color=colour)
    left.set_yticks(range(len(lines)), [f"{table}: {plain_label(quantity)}" for table, quantity in lines])
    left.set_xlabel("difference (normal deviates)")
    z = np.clip(judged["z_score"].to_numpy(float), -6, 6)
    edges = np.linspace(-6, 6, 25)
    right.hist(z, edges, color=COLOURS[5])
    middle = np.linspace(-6, 6, 200)
    scale = len(z) * (edges[1] - edges[0]) / np.sqrt(2 * np.pi)
    right.plot(middle, scale * np.exp(-(middle**2) / 2), color="0.3")
    right.set_xlabel("difference (normal deviates)")
    right.set_ylabel("numbers")
    return figure


def write(comparison: Any, stem: str | Path) -> None:
    """Write {stem}.svg and {stem}.csv, each whole or not at all."""
    import matplotlib

    from moxie.io import write_text

    with matplotlib.rc_context({"svg.hashsalt": "compare"}, fname=Path(__file__).with_name("moxie.mplstyle")):
        with replace_when_complete(f"{stem}.svg") as path:
            draw(comparison).savefig(path, metadata={"Date": None, "Creator": None})
    write_text(f"{stem}.csv", comparison.to_csv(index=False, float_format="%.8g"))
