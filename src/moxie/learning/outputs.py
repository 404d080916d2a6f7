"""What every learning task leaves behind."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moxie.features.schemas import Table


def write_outputs(
    folder: Path,
    model: Mapping[str, Any],
    predictions: Any,
    table: Table,
    card: str,
    metrics: Mapping[str, Any],
    units: Mapping[str, str] | None = None,
) -> None:
    """Write model.skops, predictions.parquet, card.md and metrics.json into a folder, and log the models' errors.

    `table` describes the predictions, `units` what its columns of varying unit are in.
    """
    from moxie.features.tables import write_table
    from moxie.io import write_json, write_text
    from moxie.learning.storage import save_model

    save_model(folder / "model.skops", model)
    write_table(predictions, folder / "predictions.parquet", table, units)
    write_text(folder / "card.md", card)
    write_json(folder / "metrics.json", metrics)
    log = logging.getLogger(__name__)
    unit = "" if metrics["unit"] == "1" else f" {metrics['unit']}"
    for name, scores in metrics.get("models", {}).items():
        log.info("%s: root-mean-square error %.3g%s", name, scores["rmse"]["value"], unit)
