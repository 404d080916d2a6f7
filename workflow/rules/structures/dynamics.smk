"""Packed boxes of liquids and electrolytes, and the parameters that GAFF makes for their molecules.

REQUIRED INPUTS: results/structures/molecules/{molecule}.sdf
OUTPUTS: results/structures/boxes/{system}.xyz, for GAFF results/structures/{gaff, gaff2}/{molecules, boxes}/*.xml,
    and for several sources or scaled ions results/structures/{force_field}/boxes/{system}.xml
"""

from moxie.study.system import BOX_FORCE_FIELD, MOLECULE_FORCE_FIELD

TARGETS["structures"] += expand("results/structures/molecules/{molecule}.sdf", molecule=study.dynamics.components)
TARGETS["structures"] += expand("results/structures/boxes/{system}.xyz", system=study.dynamics.systems)


rule pack_box:
    input:
        molecules=lambda w: expand("results/structures/molecules/{molecule}.sdf", molecule=system_of(w).composition),
    output:
        box="results/structures/boxes/{system}.xyz",
    log:
        "results/logs/pack_box/{system}.log",
    conda:
        "../../../envs/moxie.yaml"
    params:
        composition=lambda w: system_of(w).composition,
        smiles=lambda w: system_of(w).smiles,
        density_g_cm3=lambda w: system_of(w).config.density_g_cm3,
        seed=lambda w: study.seed("pack_box", w),
        code=code("pack_box"),
    message:
        "Packing the box of {wildcards.system}"
    script:
        "../../../scripts/pack_box.py"


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
        "../../../envs/moxie.yaml"
    params:
        smiles=lambda w: study.config.molecules[w.molecule],
        code=code("parametrise_molecule"),
    message:
        "Making the {wildcards.force_field} parameters of {wildcards.molecule}"
    script:
        "../../../scripts/parametrise_molecule.py"


rule combine_force_fields:
    input:
        molecules=lambda w: expand(MOLECULE_FORCE_FIELD, force_field=w.force_field, molecule=system_of(w).composition),
    output:
        force_field=BOX_FORCE_FIELD,
    log:
        "results/logs/combine_force_fields/{force_field}/{system}.log",
    wildcard_constraints:
        force_field="gaff2?",
    priority: 20
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        code=code("combine_force_fields"),
    message:
        "Combining the {wildcards.force_field} parameters of {wildcards.system}"
    script:
        "../../../scripts/combine_force_fields.py"


rule join_force_fields:
    input:
        sources=lambda w: system_of(w).source_files,
    output:
        force_field=BOX_FORCE_FIELD,
    log:
        "results/logs/join_force_fields/{force_field}/{system}.log",
    wildcard_constraints:
        force_field="[^/]*[+@][^/]*",
    priority: 20
    localrule: True
    conda:
        "../../../envs/moxie.yaml"
    params:
        sources=lambda w: system_of(w).sources,
        smiles=lambda w: system_of(w).smiles,
        charge_scale=lambda w: system_of(w).config.charge_scale,
        code=code("join_force_fields"),
    message:
        "Joining the force fields of {wildcards.system}"
    script:
        "../../../scripts/join_force_fields.py"
