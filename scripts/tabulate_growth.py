"""Tabulate the growth kinetics of the recipe at every temperature."""

from moxie.features.growth import tabulate_growth
from moxie.features.schemas import GROWTH_CURVES
from moxie.features.tables import write_table
from moxie.job import job
from moxie.kinetics import thickness_with_error_nm

with job(snakemake) as log:
    recipe = dict(snakemake.params.recipe)
    time_s = recipe.pop("time_s")
    table = tabulate_growth(
        lambda temperature_K, time_s, orientation: thickness_with_error_nm(
            temperature_K, time_s, orientation=orientation, **recipe, extrapolate=True
        ),
        snakemake.params.temperatures_K,
        snakemake.params.orientations,
        time_s,
        **{name: recipe[name] for name in ("kinetics", "ambient")},
    )
    write_table(table, snakemake.output.table, GROWTH_CURVES)
