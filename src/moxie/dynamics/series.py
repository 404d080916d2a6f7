"""Time series by the names of their columns: rows of samples as runs collect them, and as Parquet files hold them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from moxie.io import replace_when_complete

DIPOLE = ("dipole_x_e_nm", "dipole_y_e_nm", "dipole_z_e_nm")
LIQUID = {
    "time_ps": "ps",
    "potential_energy_kJ_mol": "kJ/mol",
    "temperature_K": "K",
    "volume_nm3": "nm3",
    "density_g_cm3": "g/cm3",
    **dict.fromkeys(DIPOLE, "e nm"),
}
ISOLATED = {name: LIQUID[name] for name in ("time_ps", "potential_energy_kJ_mol", "temperature_K")}


def as_columns(rows: np.ndarray, names: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return rows of samples, shape (n, k), by the names of their k columns, shape (n,) each."""
    return dict(zip(names, rows.T, strict=True))


def write_series(rows: np.ndarray, path: str | Path, units: Mapping[str, str] = LIQUID) -> None:
    """Write rows of samples, shape (n, k), as Parquet; `units` are those of the k columns by name.

    Columns of NaN are left out.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: values for name, values in as_columns(rows, units).items() if not np.isnan(values).all()}
    schema = pa.schema([pa.field(name, pa.float64(), metadata={"unit": units[name]}) for name in columns])
    with replace_when_complete(path) as partial:
        pq.write_table(pa.table(columns, schema=schema), partial)
