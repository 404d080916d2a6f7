"""Conformations of molecules.

REQUIRED INPUTS: none
OUTPUTS: results/structures/molecules/{molecule}.sdf
"""


rule embed_molecule:
    output:
        sdf="results/structures/molecules/{molecule}.sdf",
    log:
        "results/logs/embed_molecule/{molecule}.log",
    conda:
        "../../../envs/moxie.yaml"
    params:
        smiles=lambda w: study.config.molecules[w.molecule],
        seed=study.config.seed,
        code=code("embed_molecule"),
    message:
        "Finding the conformation of {wildcards.molecule}"
    script:
        "../../../scripts/embed_molecule.py"
