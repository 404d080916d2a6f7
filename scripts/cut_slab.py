"""Cut a silicon slab to be oxidised, or take over the user's own."""

from moxie.job import job
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import write_networks
from moxie.structures.own_slab import own_slab
from moxie.structures.silicon import silicon_slab

with job(snakemake) as log:
    parameters = load_parameters(snakemake.params.parameter_set)
    settings, orientation = snakemake.params.slab, snakemake.wildcards.orientation
    if settings["structure"] is None:
        slab = silicon_slab(
            tuple(settings["cells"]),
            settings["frozen_layers"],
            lattice_constant_A=parameters.lattice_constant_A,
            orientation=orientation,
        )
    else:
        slab = own_slab(
            settings["structure"],
            orientation,
            settings["frozen_layers"] == 0,
            parameters.lattice_constant_A,
            parameters.bond_length[0][1],
        )
        if n := slab.info.get("removed_hydrogen"):
            log.info("Removed %d H", n)
        if n := slab.info.get("closed_with_oxygen"):
            log.info("Closed the dangling bonds with %d O", n)
        log.info("Lateral strain of the crystal along x and y: %.2g, %.2g", *slab.info["lateral_strain"])
    write_networks(snakemake.output.slab, slab)
