"""How much oxygen a recipe puts on a slab, and whether the slab can take it. No compiled code: cheap enough for a
configuration check."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moxie.errors import InputError
from moxie.oxidation import kinetics as growth_kinetics
from moxie.structures.silicon import SI_LATTICE_CONSTANT_A, face, surface_cells

SILICA_DENSITY_G_CM3 = 2.20
# SiO2 units per cubic angstrom at 2.20 g/cm3: rho N_A / M
SILICA_UNITS_PER_A3 = SILICA_DENSITY_G_CM3 / ((28.085 + 2 * 15.999) * 1.66053906660)
BUFFER_LAYERS = 4
MOST_CELLS = 60  # that the configuration allows


@dataclass(frozen=True)
class FilmSize:
    """What a recipe asks of a slab.

    recipe_thickness_nm: from the kinetics. target_thickness_nm: times thickness_scale. n_oxygen: O atoms in all (the
    surface's own included) whose SiO2 at 2.20 g/cm3 has the target thickness. n_surface: O on the slab at the start.
    capacity: O that fit above the frozen layers and a crystalline buffer of four layers.
    """

    recipe_thickness_nm: float
    target_thickness_nm: float
    n_oxygen: int
    n_surface: int
    capacity: int


def oxygen_for_thickness(thickness_nm: float, area_A2: float) -> int:
    """Return the number of O in SiO2 of 2.20 g/cm3 with the given thickness and area."""
    return round(2 * SILICA_UNITS_PER_A3 * area_A2 * thickness_nm * 10.0)


def thickness_of_oxygen(n_oxygen: int, area_A2: float) -> float:
    """Return the thickness in nm of SiO2 of 2.20 g/cm3 that holds n_oxygen O atoms on the given area."""
    return n_oxygen / (2 * SILICA_UNITS_PER_A3 * area_A2 * 10.0)


def check_recipe_fits(
    cells: tuple[int, int, int],
    frozen_layers: int,
    temperature_K: float,
    time_s: float,
    ambient: str = "dry_O2",
    orientation: str = "100",
    pressure_bar: float = 1.01325,
    initial_oxide_nm: float = 0.8,
    kinetics: str = "deal_grove",
    thickness_scale: float = 0.6,
    lattice_constant_A: float = SI_LATTICE_CONSTANT_A,
    steps: Sequence[Mapping[str, Any]] = (),
) -> FilmSize:
    """Return what the recipe, after its earlier steps, asks of a slab of `moxie.structures.silicon.silicon_slab`.

    Raises InputError when the recipe is outside its kinetics' range, when it needs more O than fit (the message gives
    the largest thickness_scale that fits and the number of cells along z that would do), and when it needs fewer than
    the bare slab holds.
    """
    recipe_nm = growth_kinetics.thickness_nm(
        temperature_K, time_s, ambient, orientation, pressure_bar, initial_oxide_nm, kinetics, steps
    )
    surface = face(orientation)

    def layers(cells_z: int) -> int:
        return surface.planes * surface_cells((nx, ny, cells_z), orientation, lattice_constant_A)[2]

    nx, ny, nz = cells
    counts = surface_cells(cells, orientation, lattice_constant_A)
    per_layer = 2 * counts[0] * counts[1]
    area = counts[0] * counts[1] * surface.edges[0] * surface.edges[1] * lattice_constant_A**2
    target_nm = thickness_scale * recipe_nm
    needed = oxygen_for_thickness(target_nm, area)
    capacity = 2 * per_layer * max(0, layers(nz) - frozen_layers - BUFFER_LAYERS)
    if needed > capacity:
        layers_needed = math.ceil(needed / (2 * per_layer)) + frozen_layers + BUFFER_LAYERS
        cells_z = next(count for count in itertools.count(nz + 1) if layers(count) >= layers_needed)
        fitting_nm = thickness_of_oxygen(capacity, area)
        scale = math.floor(1000 * fitting_nm / recipe_nm) / 1000
        advice = [
            *([f"at least {cells_z} cells along z (oxidation.slab.cells)"] if cells_z <= MOST_CELLS else []),
            *([f"a thickness_scale of at most {scale:g} ({fitting_nm:.2f} nm)"] if scale > 0 else []),
            "a shorter recipe",
        ]
        raise InputError(
            f"The recipe at {temperature_K:g} K grows {recipe_nm:.2f} nm; {target_nm:.2f} nm of it (thickness_scale "
            f"{thickness_scale:g}) need {needed} O, but a Si({orientation}) slab of {nx} x {ny} x {nz} cells "
            f"({layers(nz)} layers) with {frozen_layers} frozen and {BUFFER_LAYERS} buffer layers takes {capacity}. "
            f"Use {', or '.join(advice)}."
        )
    n_surface = round(surface.bridges_per_cell * counts[0] * counts[1])
    if needed < n_surface:
        thinnest_nm = thickness_of_oxygen(n_surface, area)
        raise InputError(
            f"The recipe at {temperature_K:g} K grows {recipe_nm:.2g} nm; {target_nm:.2g} nm of it (thickness_scale "
            f"{thickness_scale:g}) are {needed} O, but the Si({orientation}) slab starts with the {n_surface} O that "
            f"close its dangling bonds ({thinnest_nm:.2g} nm). Use a longer time_s, a thicker initial_oxide_nm, or a "
            "larger thickness_scale."
        )
    return FilmSize(recipe_nm, target_nm, needed, n_surface, capacity)
