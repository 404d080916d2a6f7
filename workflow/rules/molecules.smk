"""Quantum chemistry of single molecules.

REQUIRED INPUTS: results/structures/molecules/{molecule}.sdf
OUTPUTS: results/molecules/{molecule}.{json, xyz}
"""

MOLECULES = expand("results/molecules/{molecule}.json", molecule=study.config.molecules)


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
        settings=study.config.quantum_chemistry.model_dump(),
        code=code("optimise_molecule"),
    message:
        "Optimising {wildcards.molecule} with GFN2-xTB"
    script:
        "../../scripts/optimise_molecule.py"
