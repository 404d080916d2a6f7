"""Quantum chemistry of single molecules.

REQUIRED INPUTS: results/structures/molecules/{molecule}.sdf
OUTPUTS: results/molecules/{molecule}.{json, xyz}, results/molecules/lists/{list}/{chunk}.json
"""

TARGETS["structures"] += expand("results/structures/molecules/{molecule}.sdf", molecule=study.molecules.molecules)
TARGETS["molecules"] += study.molecules.results


include: "features/molecules.smk"


rule optimise_molecule:
    input:
        sdf="results/structures/molecules/{molecule}.sdf",
    output:
        json="results/molecules/{molecule}.json",
        xyz="results/molecules/{molecule}.xyz",
    log:
        "results/logs/optimise_molecule/{molecule}.log",
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    params:
        smiles=lambda w: study.config.molecules[w.molecule],
        settings=study.molecules.settings,
        code=code("optimise_molecule"),
    message:
        "Optimising {wildcards.molecule} with GFN2-xTB"
    script:
        "../../scripts/optimise_molecule.py"


rule compute_chunk:
    output:
        json="results/molecules/lists/{list}/{chunk}.json",
    log:
        "results/logs/compute_chunk/{list}/{chunk}.log",
    wildcard_constraints:
        list="[a-z][a-z0-9_]*",
        chunk="all|[01]+",
    priority: 15
    conda:
        "../../envs/moxie.yaml"
    threads: 1
    params:
        entries=lambda w: [(e.name, e.smiles, e.logP) for e in study.molecules.chunks[w.list][w.chunk]],
        settings=study.molecules.settings,
        seed=study.config.seed,
        code=code("compute_chunk"),
    message:
        "Computing molecules of {wildcards.list}, chunk {wildcards.chunk}"
    script:
        "../../scripts/compute_chunk.py"
