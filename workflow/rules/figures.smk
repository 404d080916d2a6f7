"""Figures, the manifest and the report.

REQUIRED INPUTS: results/{features, tables, learning, oxidation}/...
OUTPUTS: results/figures/{name}.{svg, png, csv}, results/manifest.json, results/report.html
"""

from moxie.figures import registry as figure_registry

STUDY_PARTS = study.parts()
FIGURES = [f"results/figures/{name}.svg" for name in figure_registry.names(STUDY_PARTS)]


rule plot:
    input:
        unpack(
            lambda w: figure_registry.resolve_inputs(
                w.name, "results", study.film_temperatures(), study.config.oxidation.orientations, STUDY_PARTS
            )
        ),
    output:
        svg="results/figures/{name}.svg",
        png="results/figures/{name}.png",
        csv="results/figures/{name}.csv",
    log:
        "results/logs/plot/{name}.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        settings=study.config.figures.model_dump(),
        code=lambda w: code("plot", f"moxie.figures.gallery.{w.name}"),
    message:
        "Drawing {wildcards.name}"
    script:
        "../../scripts/plot.py"


rule collect_manifest:
    input:
        results=[*STRUCTURES, *DYNAMICS, *OXIDATION, *MOLECULES, *FEATURES, *LEARNING, *FIGURES],
        files=study.own_files(),
    output:
        manifest="results/manifest.json",
    log:
        "results/logs/collect_manifest.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        config=study.config.model_dump(mode="json"),
        root=str(ROOT),
        code=code("collect_manifest"),
    message:
        "Collecting the manifest"
    script:
        "../../scripts/collect_manifest.py"


rule write_report:
    input:
        manifest="results/manifest.json",
        validation="results/tables/validation.parquet",
        figures=FIGURES,
        metrics="results/learning/oxide_surrogate/metrics.json" if "oxide_surrogate" in TASKS else [],
        logp="results/learning/logp/metrics.json" if "logp" in TASKS else [],
        tree_search="results/learning/tree_search/metrics.json",
        oxide_runs="results/features/oxide_runs.parquet",
        film="results/oxidation/Si{}/T{}/replica0/film.xyz".format(
            min(study.config.oxidation.orientations), max(study.film_temperatures(), key=float)
        ),
        electrolytes="results/features/electrolytes.parquet" if "electrolytes" in KINDS else [],
        settings=RECOMMENDED_SETTINGS,
    output:
        report="results/report.html",
    log:
        "results/logs/write_report.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        config=study.config.model_dump(mode="json"),
        code=code("write_report"),
    message:
        "Writing the report"
    script:
        "../../scripts/write_report.py"
