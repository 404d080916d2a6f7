"""Observables of oxides, and their tables.

REQUIRED INPUTS: results/oxidation/...
OUTPUTS: results/features/{oxide_runs, oxide_sites, oxide_profiles, oxide_rdf, oxide_structure_factors, oxide_bulk,
    oxide_equilibrium, oxide_approaches, growth_curves}.parquet
"""

OXIDE_TABLES = {f"oxide_{part}": part for part in ("runs", "sites", "profiles", "rdf", "structure_factors")}
for table in OXIDE_TABLES:
    add_table(table, compared=table == "oxide_runs")
add_table("growth_curves")
if study.oxidation.bulk_oxides:
    add_table("oxide_bulk", compared=True)
if study.oxidation.both_sides:
    add_table("oxide_approaches")
if study.oxidation.exchanged:
    add_table("oxide_equilibrium")
REPORT["oxide_runs"] = "results/features/oxide_runs.parquet"


rule analyse_film:
    input:
        stages=f"results/oxidation/{FILM}/stages.xyz",
        frames=f"results/oxidation/{FILM}/frames.xyz",
        chain=f"results/oxidation/{FILM}/chain.parquet",
        run=f"results/oxidation/{FILM}/run.json",
    output:
        runs=f"{PARTS}/oxides/{FILM}/runs.parquet",
        sites=f"{PARTS}/oxides/{FILM}/sites.parquet",
        profiles=f"{PARTS}/oxides/{FILM}/profiles.parquet",
        rdf=f"{PARTS}/oxides/{FILM}/rdf.parquet",
        structure_factors=f"{PARTS}/oxides/{FILM}/structure_factors.parquet",
    log:
        f"results/logs/analyse_film/{FILM}.log",
    conda:
        "../../../envs/moxie.yaml"
    params:
        code=code("analyse_film"),
    message:
        "Analysing the film on Si({wildcards.orientation}) at {wildcards.temperature_K} K, {wildcards.approach}, replica {wildcards.replica}"
    script:
        "../../../scripts/analyse_film.py"


rule analyse_bulk:
    input:
        network=f"results/oxidation/{BULK}/network.xyz",
    output:
        row=f"{PARTS}/{BULK}.parquet",
    log:
        f"results/logs/analyse_bulk/{BULK}.log",
    conda:
        "../../../envs/moxie.yaml"
    params:
        code=code("analyse_bulk"),
    message:
        "Analysing SiO{wildcards.x} of kT {wildcards.kT_eV} eV, replica {wildcards.replica}"
    script:
        "../../../scripts/analyse_bulk.py"


rule analyse_equilibrium:
    input:
        samples="results/oxidation/exchange/Si{orientation}/samples.parquet",
        run="results/oxidation/exchange/Si{orientation}/run.json",
    output:
        rows=f"{PARTS}/exchange/Si{{orientation}}.parquet",
    log:
        "results/logs/analyse_equilibrium/{orientation}.log",
    conda:
        "../../../envs/moxie.yaml"
    params:
        film_temperature_K=lambda w: study.oxidation.exchange_film_temperature_K,
        equilibration_share=lambda w: study.oxidation.config.replica_exchange.equilibration_share,
        code=code("analyse_equilibrium"),
    message:
        "Averaging the film on Si({wildcards.orientation}) over temperature"
    script:
        "../../../scripts/analyse_equilibrium.py"


rule tabulate_films:
    input:
        parts=lambda w: [f"{PARTS}/oxides/{film}/{OXIDE_TABLES[w.table]}.parquet" for film in study.oxidation.films],
    output:
        table="results/features/{table}.parquet",
    log:
        "results/logs/tabulate/{table}.log",
    wildcard_constraints:
        table="|".join(OXIDE_TABLES),
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        table="{table}",
        code=code("tabulate"),
    message:
        "Joining the table {wildcards.table}"
    script:
        "../../../scripts/tabulate.py"


rule compare_approaches:
    input:
        oxide_runs="results/features/oxide_runs.parquet",
    output:
        table="results/features/oxide_approaches.parquet",
    log:
        "results/logs/compare_approaches.log",
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        code=code("compare_approaches"),
    message:
        "Holding films from both sides against each other"
    script:
        "../../../scripts/compare_approaches.py"


rule tabulate_bulk:
    input:
        parts=[f"{PARTS}/{network}.parquet" for network in study.oxidation.bulk_oxides],
    output:
        table="results/features/oxide_bulk.parquet",
    log:
        "results/logs/tabulate/oxide_bulk.log",
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        table="oxide_bulk",
        code=code("tabulate"),
    message:
        "Joining the table of bulk oxides"
    script:
        "../../../scripts/tabulate.py"


rule tabulate_equilibrium:
    input:
        parts=[f"{PARTS}/exchange/Si{orientation}.parquet" for orientation in study.oxidation.exchanged],
    output:
        table="results/features/oxide_equilibrium.parquet",
    log:
        "results/logs/tabulate/oxide_equilibrium.log",
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        table="oxide_equilibrium",
        code=code("tabulate"),
    message:
        "Joining the table of oxides at equilibrium"
    script:
        "../../../scripts/tabulate.py"


rule tabulate_growth:
    output:
        table="results/features/growth_curves.parquet",
    log:
        "results/logs/tabulate/growth_curves.log",
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        recipe=study.oxidation.config.recipe.model_dump(),
        temperatures_K=study.oxidation.config.temperatures_K,
        orientations=study.oxidation.config.orientations,
        code=code("tabulate_growth"),
    message:
        "Computing the growth kinetics"
    script:
        "../../../scripts/tabulate_growth.py"
