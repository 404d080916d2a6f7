"""Monte Carlo oxidation of the silicon slab.

REQUIRED INPUTS: results/structures/silicon/slab.xyz
OUTPUTS: results/oxidation/{film}/{film.xyz, stages.xyz, trace.parquet, run.json}
"""

OXIDATION = [f"results/oxidation/{film}/film.xyz" for film in study.films()]


rule compile_kernels:
    output:
        kernels="results/oxidation/kernels.json",
    log:
        "results/logs/compile_kernels.log",
    priority: 20
    conda:
        "../../envs/moxie.yaml"
    params:
        code=code("compile_kernels"),
    message:
        "Compiling the Monte Carlo kernels"
    script:
        "../../scripts/compile_kernels.py"


rule grow_oxide:
    input:
        slab="results/structures/silicon/slab.xyz",
        kernels="results/oxidation/kernels.json",
        parameter_set=own_file(study.config.oxidation.parameter_set),
    output:
        film=f"results/oxidation/{FILM}/film.xyz",
        stages=f"results/oxidation/{FILM}/stages.xyz",
        trace=f"results/oxidation/{FILM}/trace.parquet",
        run=f"results/oxidation/{FILM}/run.json",
    log:
        f"results/logs/grow_oxide/{FILM}.log",
    priority: 10
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=240,
    params:
        parameter_set=study.config.oxidation.parameter_set,
        growth=study.config.oxidation.growth.model_dump(),
        anneal=study.config.oxidation.anneal.model_dump(),
        recipe=study.config.oxidation.recipe.model_dump(),
        thickness_scale=study.config.oxidation.thickness_scale,
        size=lambda w: vars(study.film_size(float(w.temperature_K))),
        seed=lambda w: study.seed("grow_oxide", w),
        checkpoints=f"results/checkpoints/oxidation/{FILM}",
        code=code("grow_oxide"),
    message:
        "Growing oxide at {wildcards.temperature_K} K, replica {wildcards.replica}"
    script:
        "../../scripts/grow_oxide.py"
