"""Cut the Si(001) slab that is oxidised."""

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
    )
    write_networks(snakemake.output.slab, slab)
