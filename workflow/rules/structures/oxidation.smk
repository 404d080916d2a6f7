"""The silicon slab of every surface, and crystalline networks.

REQUIRED INPUTS: none
OUTPUTS: results/structures/silicon/{slab_{orientation}, diamond, beta_cristobalite}.xyz
"""

NETWORKS = ("diamond", "beta_cristobalite")
TARGETS["structures"] += expand(
    "results/structures/silicon/slab_{orientation}.xyz", orientation=study.oxidation.config.orientations
)
TARGETS["structures"] += expand("results/structures/silicon/{network}.xyz", network=NETWORKS)


rule cut_slab:
    input:
        parameter_set=own_file(study.oxidation.config.parameter_set),
        structure=study.oxidation.config.slab.structure or [],
    output:
        slab="results/structures/silicon/slab_{orientation}.xyz",
    log:
        "results/logs/cut_slab/{orientation}.log",
    priority: 30
    conda:
        "../../../envs/moxie.yaml"
    params:
        slab=study.oxidation.config.slab.model_dump(),
        parameter_set=study.oxidation.config.parameter_set,
        code=code("cut_slab"),
    message:
        "Cutting the Si({wildcards.orientation}) slab"
    script:
        "../../../scripts/cut_slab.py"


rule build_network:
    input:
        parameter_set=own_file(study.oxidation.config.parameter_set),
    output:
        network="results/structures/silicon/{network}.xyz",
    log:
        "results/logs/build_network/{network}.log",
    wildcard_constraints:
        network="|".join(NETWORKS),
    conda:
        "../../../envs/moxie.yaml"
    params:
        parameter_set=study.oxidation.config.parameter_set,
        code=code("build_network"),
    message:
        "Building the network of {wildcards.network}"
    script:
        "../../../scripts/build_network.py"
