"""Molecules, packed boxes, the silicon slab and bulk networks.

REQUIRED INPUTS: none
OUTPUTS: results/structures/{molecules/*.sdf, boxes/*.xyz, silicon/*.xyz}
"""

NETWORKS = ("diamond", "beta_cristobalite")
STRUCTURES = [
    *expand("results/structures/molecules/{molecule}.sdf", molecule=study.config.molecules),
    *expand("results/structures/boxes/{system}.xyz", system=study.config.dynamics.systems),
    "results/structures/silicon/slab.xyz",
    *expand("results/structures/silicon/{network}.xyz", network=NETWORKS),
]


rule embed_molecule:
    output:
        sdf="results/structures/molecules/{molecule}.sdf",
    params:
        smiles=lambda w: study.config.molecules[w.molecule],
        seed=lambda w: study.seed("embed_molecule", w),
        code=code("embed_molecule"),
    log:
        "results/logs/embed_molecule/{molecule}.log",
    message:
        "Finding the conformation of {wildcards.molecule}"
    conda:
        "../../envs/moxie.yaml"
    script:
        "../../scripts/embed_molecule.py"


rule pack_box:
    input:
        molecules=lambda w: expand(
            "results/structures/molecules/{molecule}.sdf", molecule=study.system(w.system).composition
        ),
    output:
        box="results/structures/boxes/{system}.xyz",
    params:
        composition=lambda w: study.system(w.system).composition,
        smiles=lambda w: study.smiles_of(w.system),
        density_g_cm3=lambda w: study.system(w.system).density_g_cm3,
        seed=lambda w: study.seed("pack_box", w),
        code=code("pack_box"),
    log:
        "results/logs/pack_box/{system}.log",
    message:
        "Packing the box of {wildcards.system}"
    conda:
        "../../envs/moxie.yaml"
    script:
        "../../scripts/pack_box.py"


rule cut_slab:
    output:
        slab="results/structures/silicon/slab.xyz",
    params:
        slab=study.config.oxidation.slab.model_dump(),
        parameter_set=study.config.oxidation.parameter_set,
        code=code("cut_slab"),
    log:
        "results/logs/cut_slab.log",
    message:
        "Cutting the silicon slab"
    conda:
        "../../envs/moxie.yaml"
    script:
        "../../scripts/cut_slab.py"


rule build_network:
    output:
        network="results/structures/silicon/{network}.xyz",
    params:
        parameter_set=study.config.oxidation.parameter_set,
        code=code("build_network"),
    wildcard_constraints:
        network="|".join(NETWORKS),
    log:
        "results/logs/build_network/{network}.log",
    message:
        "Building the network of {wildcards.network}"
    conda:
        "../../envs/moxie.yaml"
    script:
        "../../scripts/build_network.py"
