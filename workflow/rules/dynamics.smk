"""Molecular dynamics of boxes and of isolated molecules.

REQUIRED INPUTS: results/structures/boxes/{system}.xyz
OUTPUTS: results/dynamics/{run}/{timeseries.parquet, trajectory.xtc, topology.pdb, run.json},
    results/dynamics/{run}/transport/leg{leg}/{timeseries.parquet, trajectory.xtc, run.json}, one row of the study of
    settings for each of its points, results/features/parts/settings_study/{point}.parquet, and on request (target
    export) results/dynamics/{run}/export/{system.data, system.in}
"""

DYNAMICS = [f"results/dynamics/{run}/run.json" for runs in RUNS.values() for run in runs]
DYNAMICS += [f"results/dynamics/{leg}/run.json" for legs in LEGS.values() for leg in legs]
EXPORTS = [f"results/dynamics/{run}/export/system.in" for name in RUNS if study.can_export(name) for run in RUNS[name]]


rule simulate:
    input:
        box="results/structures/boxes/{system}.xyz",
        force_field=lambda w: own_file(study.force_field_file(w.system)),
    output:
        timeseries=f"results/dynamics/{RUN}/timeseries.parquet",
        trajectory=f"results/dynamics/{RUN}/trajectory.xtc",
        topology=f"results/dynamics/{RUN}/topology.pdb",
        run=f"results/dynamics/{RUN}/run.json",
    log:
        f"results/logs/simulate/{RUN}.log",
    priority: 10
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
        gpu=lambda w: int(study.gpu_percent(w.system) > 0),
        gpu_percent=lambda w: study.gpu_percent(w.system),
    params:
        settings=lambda w: study.run_settings(w.system, float(w.temperature_K), float(w.pressure_bar)),
        platform=study.config.dynamics.platform,
        seed=lambda w: study.seed("simulate", w),
        checkpoints=f"results/checkpoints/dynamics/{RUN}",
        code=code("simulate"),
    message:
        "Simulating {wildcards.system} at {wildcards.temperature_K} K and {wildcards.pressure_bar} bar"
    script:
        "../../scripts/simulate.py"


rule simulate_gas:
    input:
        force_field=lambda w: own_file(study.force_field_file(w.system)),
    output:
        timeseries=f"results/dynamics/{GAS}/timeseries.parquet",
        run=f"results/dynamics/{GAS}/run.json",
    log:
        f"results/logs/simulate_gas/{GAS}.log",
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    params:
        smiles=lambda w: study.smiles_of(w.system),
        settings=lambda w: study.gas_settings(w.system, float(w.temperature_K)),
        seed=lambda w: study.seed("simulate_gas", w),
        code=code("simulate_gas"),
    message:
        "Simulating an isolated molecule of {wildcards.system} at {wildcards.temperature_K} K"
    script:
        "../../scripts/simulate_gas.py"


rule simulate_transport:
    input:
        timeseries=f"results/dynamics/{RUN}/timeseries.parquet",
        trajectory=f"results/dynamics/{RUN}/trajectory.xtc",
        run=f"results/dynamics/{RUN}/run.json",
        force_field=lambda w: own_file(study.force_field_file(w.system)),
    output:
        timeseries=f"results/dynamics/{LEG}/timeseries.parquet",
        trajectory=f"results/dynamics/{LEG}/trajectory.xtc",
        run=f"results/dynamics/{LEG}/run.json",
    log:
        f"results/logs/simulate_transport/{LEG}.log",
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
        gpu=lambda w: int(study.gpu_percent(w.system) > 0),
        gpu_percent=lambda w: study.gpu_percent(w.system),
    params:
        settings=lambda w: study.transport_settings(w.system),
        platform=study.config.dynamics.platform,
        seed=lambda w: study.seed("simulate_transport", w),
        checkpoints=f"results/checkpoints/dynamics/{LEG}",
        code=code("simulate_transport"),
    message:
        "Leg {wildcards.leg} at constant energy of {wildcards.system} at {wildcards.temperature_K} K"
    script:
        "../../scripts/simulate_transport.py"


rule simulate_setting:
    input:
        molecules=lambda w: expand(
            "results/structures/molecules/{molecule}.sdf", molecule=study.setting_point(w.point)["composition"]
        ),
        force_field=own_file(study.force_field_file(SETTINGS_SYSTEM)) if SETTINGS_SYSTEM else [],
    output:
        row=f"{PARTS}/settings_study/{{point}}.parquet",
    log:
        "results/logs/simulate_setting/{point}.log",
    wildcard_constraints:
        point="dt[^/]+",
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
        gpu=lambda w: int(study.gpu_percent(SETTINGS_SYSTEM) > 0),
        gpu_percent=lambda w: study.gpu_percent(SETTINGS_SYSTEM),
    params:
        system=SETTINGS_SYSTEM,
        smiles=study.smiles_of(SETTINGS_SYSTEM) if SETTINGS_SYSTEM else {},
        point=lambda w: study.setting_point(w.point),
        nve_ps=SETTINGS_STUDY.nve_ps if SETTINGS_STUDY else None,
        platform=study.config.dynamics.platform,
        seed=lambda w: study.seed("simulate_setting", w),
        checkpoints="results/checkpoints/dynamics/settings_study/{point}",
        code=code("simulate_setting"),
    message:
        "Trying the settings {wildcards.point}"
    script:
        "../../scripts/simulate_setting.py"


rule export_box:
    input:
        box="results/structures/boxes/{system}.xyz",
        force_field=lambda w: own_file(study.force_field_file(w.system)),
    output:
        data=f"results/dynamics/{RUN}/export/system.data",
        commands=f"results/dynamics/{RUN}/export/system.in",
    log:
        f"results/logs/export_box/{RUN}.log",
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    params:
        settings=lambda w: study.run_settings(w.system, float(w.temperature_K), float(w.pressure_bar)),
        seed=lambda w: study.seed("simulate", w),
        code=code("export_box"),
    message:
        "Writing {wildcards.system} at {wildcards.temperature_K} K for LAMMPS"
    script:
        "../../scripts/export_box.py"
