"""Write the final films of one state point as CIF, LAMMPS data and VASP input."""

from pathlib import Path

from moxie.job import job
from moxie.structures.handoff import write_handoff
from moxie.structures.network import read_network

with job(snakemake) as log:
    for film in map(Path, snakemake.input.films):
        write_handoff(read_network(film), film.parent / "handoff", " ".join(film.parts[-4:-1]))
