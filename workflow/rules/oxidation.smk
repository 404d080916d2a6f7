"""Monte Carlo oxidation of the silicon slab.

REQUIRED INPUTS: results/structures/silicon/slab_{orientation}.xyz
OUTPUTS: results/oxidation/Si{orientation}/rejection.json, results/oxidation/{film}/{film.xyz, stages.xyz, frames.xyz, trace.parquet, chain.parquet, run.json}, and in
{film}/handoff the final film as CIF, LAMMPS data and VASP input; results/oxidation/bulk/.../network.xyz;
results/oxidation/exchange/Si{orientation}/{samples.parquet, run.json}
"""

from moxie.structures import handoff
from moxie.study.oxidation import BULK, FILM

REPLICAS = range(study.oxidation.config.replicas)
FILMS = [f"results/oxidation/{film}/film.xyz" for film in study.oxidation.films]
HANDOFF = [f"results/oxidation/{film}/handoff/{name}" for film in study.oxidation.films for name in handoff.FILES]
TARGETS["oxidation"] += [*FILMS, *HANDOFF]
TARGETS["oxidation"] += [f"results/oxidation/{network}/network.xyz" for network in study.oxidation.bulk_oxides]
TARGETS["oxidation"] += expand(
    "results/oxidation/exchange/Si{orientation}/samples.parquet", orientation=study.oxidation.exchanged
)
REPORT["film"] = "results/oxidation/Si{orientation}/T{hottest}/{approach}/replica0/film.xyz".format(
    **study.oxidation.figure_labels()
)


include: "structures/oxidation.smk"
include: "features/oxidation.smk"


rule calibrate_rejection:
    input:
        slab="results/structures/silicon/slab_{orientation}.xyz",
        parameter_set=own_file(study.oxidation.config.parameter_set),
    output:
        rejection="results/oxidation/Si{orientation}/rejection.json",
    log:
        "results/logs/calibrate_rejection/{orientation}.log",
    priority: 20
    conda:
        "../../envs/moxie.yaml"
    params:
        parameter_set=study.oxidation.config.parameter_set,
        growth=study.oxidation.config.growth.model_dump(),
        seed=lambda w: study.seed("calibrate_rejection", w),
        code=code("calibrate_rejection"),
    message:
        "Compiling the Monte Carlo kernels and calibrating early rejection on Si({wildcards.orientation})"
    script:
        "../../scripts/calibrate_rejection.py"


rule grow_oxide:
    input:
        slab="results/structures/silicon/slab_{orientation}.xyz",
        rejection="results/oxidation/Si{orientation}/rejection.json",
        parameter_set=own_file(study.oxidation.config.parameter_set),
    output:
        film=f"results/oxidation/{FILM}/film.xyz",
        stages=f"results/oxidation/{FILM}/stages.xyz",
        frames=f"results/oxidation/{FILM}/frames.xyz",
        trace=f"results/oxidation/{FILM}/trace.parquet",
        chain=f"results/oxidation/{FILM}/chain.parquet",
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
        parameter_set=study.oxidation.config.parameter_set,
        growth=study.oxidation.config.growth.model_dump(),
        anneal=study.oxidation.config.anneal.model_dump(),
        production=study.oxidation.production_settings,
        recipe=study.oxidation.config.recipe.model_dump(),
        thickness_scale=study.oxidation.config.thickness_scale,
        size=lambda w: vars(study.oxidation.film_size(float(w.temperature_K), w.orientation)),
        seed=lambda w: study.seed("grow_oxide", w),
        checkpoints=f"results/checkpoints/oxidation/{FILM}",
        code=code("grow_oxide"),
    message:
        "Growing oxide on Si({wildcards.orientation}) at {wildcards.temperature_K} K, {wildcards.approach}, replica {wildcards.replica}"
    script:
        "../../scripts/grow_oxide.py"


rule exchange_replicas:
    input:
        film=lambda w: f"results/oxidation/{study.oxidation.exchange_film(w.orientation)}/film.xyz",
        parameter_set=own_file(study.oxidation.config.parameter_set),
    output:
        samples="results/oxidation/exchange/Si{orientation}/samples.parquet",
        run="results/oxidation/exchange/Si{orientation}/run.json",
    log:
        "results/logs/exchange_replicas/{orientation}.log",
    priority: 10
    conda:
        "../../envs/moxie.yaml"
    threads: 4
    resources:
        mem_mb=2000,
        runtime=480,
    params:
        parameter_set=study.oxidation.config.parameter_set,
        settings=study.oxidation.exchange_settings,
        lowest_temperature_K=min(study.oxidation.config.temperatures_K),
        seed=lambda w: study.seed("exchange_replicas", w),
        checkpoints="results/checkpoints/exchange/Si{orientation}",
        code=code("exchange_replicas"),
    message:
        "Sampling a film on Si({wildcards.orientation}) by replica exchange"
    script:
        "../../scripts/exchange_replicas.py"


rule anneal_bulk:
    input:
        parameter_set=own_file(study.oxidation.config.parameter_set),
    output:
        network=f"results/oxidation/{BULK}/network.xyz",
    log:
        f"results/logs/anneal_bulk/{BULK}.log",
    priority: 10
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=240,
    params:
        parameter_set=study.oxidation.config.parameter_set,
        settings=study.oxidation.bulk_settings,
        seed=lambda w: study.seed("anneal_bulk", w),
        code=code("anneal_bulk"),
    message:
        "Annealing SiO{wildcards.x} at kT {wildcards.kT_eV} eV, replica {wildcards.replica}"
    script:
        "../../scripts/anneal_bulk.py"


rule hand_off_films:
    input:
        films=expand(f"results/oxidation/{FILM}/film.xyz", replica=REPLICAS, allow_missing=True),
    output:
        expand(f"results/oxidation/{FILM}/handoff/{{name}}", replica=REPLICAS, name=handoff.FILES, allow_missing=True),
    log:
        "results/logs/hand_off_films/Si{orientation}/T{temperature_K}/{approach}.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        code=code("hand_off_films"),
    message:
        "Writing the films on Si({wildcards.orientation}) at {wildcards.temperature_K} K, {wildcards.approach}, for other programs"
    script:
        "../../scripts/hand_off_films.py"
