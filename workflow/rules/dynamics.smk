"""Molecular dynamics of boxes and of isolated molecules.

REQUIRED INPUTS: results/structures/boxes/{system}.xyz
OUTPUTS: results/dynamics/{run}/{timeseries.parquet, trajectory.xtc, topology.pdb, run.json},
    results/dynamics/{run}/transport/leg{leg}/{timeseries.parquet, trajectory.xtc, run.json}, and
    on request (target export) results/dynamics/{run}/export/{system.data, system.in}
"""

from moxie.study.system import GAS, LEG, RUN

LEGS = study.dynamics.legs
for plan in study.dynamics.systems.values():
    TARGETS["dynamics"] += [f"results/dynamics/{run}/run.json" for run in plan.runs]
    TARGETS["export"] += [f"results/dynamics/{run}/export/system.in" for run in plan.runs if plan.can_export]
TARGETS["dynamics"] += [f"results/dynamics/{leg}/run.json" for legs in LEGS.values() for leg in legs]


include: "structures/dynamics.smk"
include: "features/dynamics.smk"


if study.dynamics.settings_points:

    include: "dynamics/settings_study.smk"


rule simulate:
    input:
        box="results/structures/boxes/{system}.xyz",
        force_field=lambda w: own_file(system_of(w).force_field_file),
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
        gpu=lambda w: int(system_of(w).gpu_percent > 0),
        gpu_percent=lambda w: system_of(w).gpu_percent,
    params:
        settings=lambda w: vars(system_of(w).run_settings(float(w.temperature_K), float(w.pressure_bar))),
        platform=study.dynamics.config.platform,
        seed=lambda w: study.seed("simulate", w),
        checkpoints=f"results/checkpoints/dynamics/{RUN}",
        code=code("simulate"),
    message:
        "Simulating {wildcards.system} at {wildcards.temperature_K} K and {wildcards.pressure_bar} bar"
    script:
        "../../scripts/simulate.py"


rule simulate_gas:
    input:
        force_field=lambda w: own_file(system_of(w).force_field_file),
    output:
        timeseries=f"results/dynamics/{GAS}/timeseries.parquet",
        run=f"results/dynamics/{GAS}/run.json",
    log:
        f"results/logs/simulate_gas/{GAS}.log",
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    params:
        smiles=lambda w: system_of(w).smiles,
        settings=lambda w: vars(system_of(w).gas_settings(float(w.temperature_K))),
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
        force_field=lambda w: own_file(system_of(w).force_field_file),
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
        gpu=lambda w: int(system_of(w).gpu_percent > 0),
        gpu_percent=lambda w: system_of(w).gpu_percent,
    params:
        settings=lambda w: vars(system_of(w).transport_settings),
        platform=study.dynamics.config.platform,
        seed=lambda w: study.seed("simulate_transport", w),
        checkpoints=f"results/checkpoints/dynamics/{LEG}",
        code=code("simulate_transport"),
    message:
        "Leg {wildcards.leg} at constant energy of {wildcards.system} at {wildcards.temperature_K} K"
    script:
        "../../scripts/simulate_transport.py"


rule export_box:
    input:
        box="results/structures/boxes/{system}.xyz",
        force_field=lambda w: own_file(system_of(w).force_field_file),
    output:
        data=f"results/dynamics/{RUN}/export/system.data",
        commands=f"results/dynamics/{RUN}/export/system.in",
    log:
        f"results/logs/export_box/{RUN}.log",
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    params:
        settings=lambda w: vars(system_of(w).run_settings(float(w.temperature_K), float(w.pressure_bar))),
        seed=lambda w: study.seed("simulate", w),
        code=code("export_box"),
    message:
        "Writing {wildcards.system} at {wildcards.temperature_K} K for LAMMPS"
    script:
        "../../scripts/export_box.py"
