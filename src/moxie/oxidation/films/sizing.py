"""How much oxygen a recipe puts on a slab, and whether the slab can take it. No compiled code: cheap enough for a
configuration check."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moxie import kinetics as growth_kinetics
from moxie.errors import InputError
from moxie.oxidation.parameter_sets import ParameterSet
from moxie.structures.back_side import back_oxygens, front_oxygen
from moxie.structures.network import Network
from moxie.structures.own_slab import VACUUM_A, vacuum_of
from moxie.structures.silicon import SI_LATTICE_CONSTANT_A, SILICA_UNITS_PER_A3, face, surface_cells

BUFFER_LAYERS = 4
MOST_CELLS = 60  # that the configuration allows


@dataclass(frozen=True)
class FilmSize:
    """What a recipe asks of a slab.

    recipe_thickness_nm: from the kinetics. target_thickness_nm: times thickness_scale. n_oxygen: O atoms in all (the
    front's own included) whose SiO2 at 2.20 g/cm3 has the target thickness. n_surface: O at the slab's front at the
    start. capacity: O that fit above the frozen layers and a crystalline buffer of four layers; a free back has a
    buffer of its own.
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
    kept = (frozen_layers or BUFFER_LAYERS) + BUFFER_LAYERS
    capacity = 2 * per_layer * max(0, layers(nz) - kept)
    if needed > capacity:
        layers_needed = math.ceil(needed / (2 * per_layer)) + kept
        cells_z = next(count for count in itertools.count(nz + 1) if layers(count) >= layers_needed)
        fitting_nm = thickness_of_oxygen(capacity, area)
        thicker = [f"at least {cells_z} cells along z (oxidation.slab.cells)"] if cells_z <= MOST_CELLS else []
        advice = [*thicker, *_thinner(fitting_nm, recipe_nm)]
        held = f"{frozen_layers} frozen" if frozen_layers else f"a free back, {BUFFER_LAYERS} buffer layers there"
        raise InputError(
            f"The recipe at {temperature_K:g} K grows {recipe_nm:.2f} nm; {target_nm:.2f} nm of it (thickness_scale "
            f"{thickness_scale:g}) need {needed} O, but a Si({orientation}) slab of {nx} x {ny} x {nz} cells "
            f"({layers(nz)} layers) with {held} and {BUFFER_LAYERS} buffer layers takes {capacity}. "
            f"Use {', or '.join(advice)}."
        )
    n_surface = round(surface.bridges_per_cell * counts[0] * counts[1])
    size = FilmSize(recipe_nm, target_nm, needed, n_surface, capacity)
    _check_not_fewer(size, area, temperature_K, thickness_scale, f"Si({orientation}) slab")
    return size


def check_recipe_fits_structure(
    start: Network, temperature_K: float, orientation: str, thickness_scale: float, recipe: Mapping[str, Any]
) -> FilmSize:
    """Return what the recipe asks of a slab of the user's own (`moxie.structures.own_slab`).

    recipe: the arguments of `check_recipe_fits` from time_s to steps. Raises InputError when the recipe is outside its
    kinetics' range, needs more O than the silicon or the vacuum above it takes, or fewer than its front already holds.
    """
    recipe_nm = growth_kinetics.thickness_nm(temperature_K, orientation=orientation, **recipe)
    surface, lattice_constant_A = face(orientation), float(start.info["lattice_constant_A"])
    name, back = f"structure {start.info['structure']}", back_oxygens(start)
    layer_A = surface.edges[2] / surface.planes * lattice_constant_A
    per_layer = 8 / lattice_constant_A**3 * start.area_A2 * layer_A
    target_nm = thickness_scale * recipe_nm
    needed = oxygen_for_thickness(target_nm, start.area_A2)
    n_surface = front_oxygen(start)
    mobile = int(((start.species == "Si") & ~start.frozen).sum())
    capacity = 2 * max(0, math.floor(mobile - (2 if len(back) else 1) * BUFFER_LAYERS * per_layer))
    if needed > capacity:
        both = " on either side" if len(back) else ""
        advice = ["a thicker slab", *_thinner(thickness_of_oxygen(capacity, start.area_A2), recipe_nm)]
        raise InputError(
            f"The recipe at {temperature_K:g} K grows {recipe_nm:.2f} nm; {target_nm:.2f} nm of it (thickness_scale "
            f"{thickness_scale:g}) need {needed} O, but the {name} with {mobile} mobile Si, less {BUFFER_LAYERS} "
            f"buffer layers of {per_layer:.0f}{both}, takes {capacity}. Use {', or '.join(advice)}."
        )
    size = FilmSize(recipe_nm, target_nm, needed, n_surface, capacity)
    _check_not_fewer(size, start.area_A2, temperature_K, thickness_scale, name)
    swelling_A3 = (needed - n_surface) / 2 * (1 / SILICA_UNITS_PER_A3 - lattice_constant_A**3 / 8)
    left_A = vacuum_of(start) - swelling_A3 / start.area_A2
    if left_A < VACUUM_A:
        raise InputError(
            f"The film of {target_nm:.2f} nm at {temperature_K:g} K leaves {left_A:.1f} A of the vacuum in the cell of "
            f"the {name}; at least {VACUUM_A:g} A are needed. Make its cell higher by {math.ceil(VACUUM_A - left_A)} A."
        )
    return size


def check_bulk_fits(cells: int, compositions: Sequence[float], parameters: ParameterSet) -> None:
    """Raise InputError unless bulk SiOx of 8 cells^3 Si takes the field's repulsion, and every composition (O per Si)
    is a network of its own there."""
    try:
        parameters.check_edge(cells * parameters.lattice_constant_A)
    except InputError as error:
        raise InputError(f"`oxidation.bulk.cells` = {cells}: {error}") from None
    n_silicon = 8 * cells**3
    made: dict[int, float] = {}
    for x in compositions:
        n_oxygen = round(x * n_silicon)
        if n_oxygen in made:
            raise InputError(
                f"`oxidation.bulk.compositions`: {made[n_oxygen]:g} and {x:g} are both {n_oxygen} O on the {n_silicon} "
                f"Si of {cells} cells. Leave one out, or use more cells (oxidation.bulk.cells)."
            )
        made[n_oxygen] = x


def _thinner(fitting_nm: float, recipe_nm: float) -> list[str]:
    scale = math.floor(1000 * fitting_nm / recipe_nm) / 1000
    return [
        *([f"a thickness_scale of at most {scale:g} ({fitting_nm:.2f} nm)"] if scale > 0 else []),
        "a shorter recipe",
    ]


def _check_not_fewer(size: FilmSize, area_A2: float, temperature_K: float, thickness_scale: float, name: str) -> None:
    if size.n_oxygen < size.n_surface:
        raise InputError(
            f"The recipe at {temperature_K:g} K grows {size.recipe_thickness_nm:.2g} nm; "
            f"{size.target_thickness_nm:.2g} nm of it (thickness_scale {thickness_scale:g}) are {size.n_oxygen} O, but "
            f"the {name} starts with the {size.n_surface} O that close its dangling bonds "
            f"({thickness_of_oxygen(size.n_surface, area_A2):.2g} nm). Use a longer time_s, a thicker "
            "initial_oxide_nm, or a larger thickness_scale."
        )
