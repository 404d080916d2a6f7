"""Cut a silicon slab to be oxidised."""

from moxie.job import job
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import write_networks
from moxie.structures.silicon import silicon_slab

with job(snakemake) as log:
    parameters = load_parameters(snakemake.params.parameter_set)
    slab = silicon_slab(
        tuple(snakemake.params.slab["cells"]),
        snakemake.params.slab["frozen_layers"],
        lattice_constant_A=parameters.lattice_constant_A,
        orientation=snakemake.wildcards.orientation,
    )
    write_networks(snakemake.output.slab, slab)
