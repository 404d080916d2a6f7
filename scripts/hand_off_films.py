"""Write the final films of one state point as CIF, LAMMPS data and VASP input."""

from pathlib import Path

from moxie.job import job
from moxie.structures.films import film_title
from moxie.structures.handoff import write_handoff
from moxie.structures.network import read_network

with job(snakemake) as log:
    for path in map(Path, snakemake.input.films):
        film = read_network(path)
        write_handoff(film, path.parent / "handoff", film_title(film))
