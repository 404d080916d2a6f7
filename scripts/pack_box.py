"""Pack the molecules of a system into a periodic box."""

from moxie.job import job
from moxie.structures.boxes import pack, write_box
from moxie.structures.molecules import read_sdf

with job(snakemake) as log:
    params = snakemake.params
    molecules = {name: read_sdf(path) for name, path in zip(params.composition, snakemake.input.molecules, strict=True)}
    box = pack(molecules, params.composition, params.smiles, params.seed, params.density_g_cm3)
    write_box(box, snakemake.output.box)
