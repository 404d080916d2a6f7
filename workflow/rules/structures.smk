"""Molecules, packed boxes, the silicon slab and bulk networks.

REQUIRED INPUTS: none
OUTPUTS: results/structures/{molecules/*.sdf, boxes/*.xyz, silicon/*.xyz}, and for GAFF {gaff,gaff2}/{molecules,boxes}/*.xml
"""

NETWORKS = ("diamond", "beta_cristobalite")
STRUCTURES = [
    *expand("results/structures/molecules/{molecule}.sdf", molecule=study.config.molecules),
    *expand("results/structures/boxes/{system}.xyz", system=study.config.dynamics.systems),
    *expand("results/structures/silicon/slab_{face}.xyz", face=study.config.oxidation.orientations),
    *expand("results/structures/silicon/{network}.xyz", network=NETWORKS),
]


rule embed_molecule:
    output:
        sdf="results/structures/molecules/{molecule}.sdf",
    log:
        "results/logs/embed_molecule/{molecule}.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        smiles=lambda w: study.config.molecules[w.molecule],
        seed=lambda w: study.seed("embed_molecule", w),
        code=code("embed_molecule"),
    message:
        "Finding the conformation of {wildcards.molecule}"
    script:
        "../../scripts/embed_molecule.py"


rule pack_box:
    input:
        molecules=lambda w: expand(
            "results/structures/molecules/{molecule}.sdf", molecule=study.system(w.system).composition
        ),
    output:
        box="results/structures/boxes/{system}.xyz",
    log:
        "results/logs/pack_box/{system}.log",
    conda:
        "../../envs/moxie.yaml"
    params:
        composition=lambda w: study.system(w.system).composition,
        smiles=lambda w: study.smiles_of(w.system),
        density_g_cm3=lambda w: study.system(w.system).density_g_cm3,
        seed=lambda w: study.seed("pack_box", w),
        code=code("pack_box"),
    message:
        "Packing the box of {wildcards.system}"
    script:
        "../../scripts/pack_box.py"


rule parametrise_molecule:
    input:
        sdf="results/structures/molecules/{molecule}.sdf",
    output:
        force_field=MOLECULE_FORCE_FIELD,
    log:
        "results/logs/parametrise_molecule/{force_field}/{molecule}.log",
    wildcard_constraints:
        force_field="gaff2?",
    priority: 20
    conda:
        "../../envs/moxie.yaml"
    params:
        smiles=lambda w: study.config.molecules[w.molecule],
        code=code("parametrise_molecule"),
    message:
        "Making the {wildcards.force_field} parameters of {wildcards.molecule}"
    script:
        "../../scripts/parametrise_molecule.py"


rule combine_force_fields:
    input:
        molecules=lambda w: expand(
            MOLECULE_FORCE_FIELD, force_field=w.force_field, molecule=study.system(w.system).composition
        ),
    output:
        force_field=BOX_FORCE_FIELD,
    log:
        "results/logs/combine_force_fields/{force_field}/{system}.log",
    wildcard_constraints:
        force_field="gaff2?",
    priority: 20
    conda:
        "../../envs/moxie.yaml"
    params:
        code=code("combine_force_fields"),
    message:
        "Combining the {wildcards.force_field} parameters of {wildcards.system}"
    script:
        "../../scripts/combine_force_fields.py"


rule cut_slab:
    input:
        parameter_set=own_file(study.config.oxidation.parameter_set),
        structure=study.config.oxidation.slab.structure or [],
    output:
        slab="results/structures/silicon/slab_{orientation}.xyz",
    log:
        "results/logs/cut_slab/{orientation}.log",
    priority: 30
    conda:
        "../../envs/moxie.yaml"
    params:
        slab=study.config.oxidation.slab.model_dump(),
        parameter_set=study.config.oxidation.parameter_set,
        code=code("cut_slab"),
    message:
        "Cutting the Si({wildcards.orientation}) slab"
    script:
        "../../scripts/cut_slab.py"


rule build_network:
    input:
        parameter_set=own_file(study.config.oxidation.parameter_set),
    output:
        network="results/structures/silicon/{network}.xyz",
    log:
        "results/logs/build_network/{network}.log",
    wildcard_constraints:
        network="|".join(NETWORKS),
    conda:
        "../../envs/moxie.yaml"
    params:
        parameter_set=study.config.oxidation.parameter_set,
        code=code("build_network"),
    message:
        "Building the network of {wildcards.network}"
    script:
        "../../scripts/build_network.py"
