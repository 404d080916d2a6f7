"""The study of time step, size and cut-off, and what it recommends.

REQUIRED INPUTS: results/structures/molecules/{molecule}.sdf
OUTPUTS: results/features/settings_study.parquet, results/features/recommended_settings.json
"""

SETTINGS = study.dynamics.settings_points
add_table("settings_study")
TARGETS["features"].append("results/features/recommended_settings.json")
REPORT["settings"] = "results/features/recommended_settings.json"


rule simulate_setting:
    input:
        molecules=lambda w: expand(
            "results/structures/molecules/{molecule}.sdf", molecule=SETTINGS.composition(w.point)
        ),
        force_field=own_file(SETTINGS.system.force_field_file),
    output:
        row=f"{PARTS}/settings_study/{{point}}.parquet",
    log:
        "results/logs/simulate_setting/{point}.log",
    wildcard_constraints:
        point="dt[^/]+",
    conda:
        "../../../envs/moxie.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
        gpu=int(SETTINGS.system.gpu_percent > 0),
        gpu_percent=SETTINGS.system.gpu_percent,
    params:
        system=SETTINGS.system.name,
        smiles=SETTINGS.system.smiles,
        point=lambda w: SETTINGS.simulated(w.point),
        nve_ps=SETTINGS.config.nve_ps,
        platform=study.dynamics.config.platform,
        seed=lambda w: study.seed("simulate_setting", w),
        checkpoints="results/checkpoints/dynamics/settings_study/{point}",
        code=code("simulate_setting"),
    message:
        "Trying the settings {wildcards.point}"
    script:
        "../../../scripts/simulate_setting.py"


rule tabulate_settings:
    input:
        parts=[f"{PARTS}/settings_study/{point}.parquet" for point in SETTINGS.points],
    output:
        table="results/features/settings_study.parquet",
    log:
        "results/logs/tabulate/settings_study.log",
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        table="settings_study",
        code=code("tabulate"),
    message:
        "Joining the table of settings"
    script:
        "../../../scripts/tabulate.py"


rule recommend_settings:
    input:
        table="results/features/settings_study.parquet",
    output:
        recommendation="results/features/recommended_settings.json",
    log:
        "results/logs/recommend_settings.log",
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        base=vars(SETTINGS.base),
        bounds=SETTINGS.bounds,
        code=code("recommend_settings"),
    message:
        "Choosing settings"
    script:
        "../../../scripts/recommend_settings.py"
