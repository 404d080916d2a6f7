"""Figures, the manifest and the report.

REQUIRED INPUTS: results/{features, tables, learning, oxidation}/...
OUTPUTS: results/figures/{name}.{svg, png, csv}, results/manifest.json, results/report.html
"""

from moxie.figures import registry as figure_registry

FIGURES = [f"results/figures/{name}.svg" for name in figure_registry.names(study.parts)]


rule plot:
    input:
        unpack(lambda w: figure_registry.resolve_inputs(w.name, "results", study.figure_labels, study.parts)),
    output:
        svg=report(
            "results/figures/{name}.svg",
            caption="../report/figure.rst",
            category=lambda w: figure_registry.get(w.name).category,
            labels=lambda w: {"figure": figure_registry.get(w.name).title},
        ),
        png="results/figures/{name}.png",
        csv="results/figures/{name}.csv",
    log:
        "results/logs/plot/{name}.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        settings=study.config.figures.model_dump(),
        caption=lambda w: figure_registry.get(w.name).caption,
        code=lambda w: code("plot", f"moxie.figures.gallery.{w.name}"),
    message:
        "Drawing {wildcards.name}"
    script:
        "../../scripts/plot.py"


rule collect_manifest:
    input:
        results=[*(file for target, files in TARGETS.items() if target != "export" for file in files), *FIGURES],
        files=study.own_files(),
    output:
        manifest="results/manifest.json",
    log:
        "results/logs/collect_manifest.log",
    localrule: True
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
        **REPORT,
        manifest="results/manifest.json",
        figures=FIGURES,
    output:
        report=report(
            "results/report.html",
            caption="../report/page.rst",
            category="Report",
            labels={"page": "The study's report"},
        ),
    log:
        "results/logs/write_report.log",
    localrule: True
    conda:
        "../../envs/moxie.yaml"
    params:
        config=study.config.model_dump(mode="json"),
        code=code("write_report"),
    message:
        "Writing the report"
    script:
        "../../scripts/write_report.py"
