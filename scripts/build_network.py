"""Build a crystalline bulk network with its bonds."""

from moxie.job import job
from moxie.oxidation.parameter_sets import load_parameters
from moxie.structures.network import write_networks
from moxie.structures.silicon import beta_cristobalite, diamond

with job(snakemake) as log:
    if snakemake.wildcards.network == "diamond":
        network = diamond((4, 4, 4), load_parameters(snakemake.params.parameter_set).lattice_constant_A)
    else:
        network = beta_cristobalite((3, 3, 3))
    write_networks(snakemake.output.network, network)
