"""Tables of the oxide films: populations, atoms, profiles and structure."""

from moxie.features.schemas.columns import (
    APPROACH,
    ORIENTATION,
    OXIDATION_STATES,
    REPLICA,
    STAGE,
    TEMPERATURE,
    count,
    maybe,
    number,
    sums_to_one,
    text,
)
from moxie.features.schemas.table import Column, Table

OXIDE_RUNS = Table(
    "oxide_runs",
    "Oxide films: one row per orientation, temperature, approach, replica and growth stage.",
    ("orientation", "temperature_K", "approach", "replica", "stage"),
    (
        ORIENTATION,
        TEMPERATURE,
        APPROACH,
        REPLICA,
        STAGE,
        Column("is_final", "bool", "", "whether this is the final film after its full anneal"),
        text("parameter_set", "name of the energy parameters"),
        number("recipe_thickness_nm", "nm", "oxide thickness of the recipe from the growth kinetics", 0.0, 1e5),
        number("target_thickness_nm", "nm", "thickness aimed at in the slab: thickness_scale x recipe", 0.0, 1e3),
        number("thickness_scale", "1", "ratio of slab to recipe thickness", 0.0, 1e3),
        count("n_si", "silicon atoms in the slab, frozen ones included", 1),
        count("n_o", "oxygen atoms in the slab, those of a free back left out"),
        number("area_A2", "angstrom2", "area of the slab's surface", 1.0),
        number("oxygen_per_area_per_A2", "1/angstrom2", "oxygen atoms per area", 0.0, 1e3),
        number(
            "oxide_thickness_nm",
            "nm",
            "thickness of SiO2 of 2.20 g/cm3 that holds all oxygen of the film",
            0.0,
            1e3,
        ),
        *(
            number(f"si{n}_fraction", "1", f"fraction of the mobile Si with {n} oxygen neighbours", 0.0, 1.0)
            for n in OXIDATION_STATES
        ),
        *(
            number(f"si{n}_per_cm2", "1/cm2", f"mobile Si with {n} oxygen neighbours per area", 0.0)
            for n in OXIDATION_STATES
        ),
        number("suboxide_total_per_cm2", "1/cm2", "Si with 1, 2 or 3 oxygen neighbours per area", 0.0),
        number(
            "suboxide_total_monolayers",
            "1",
            "suboxide_total_per_cm2 over the atoms of one plane of this surface (6.78e14 on (100))",
            0.0,
            1e3,
        ),
        *(
            maybe(f"suboxide_fraction_{n}", "1", f"share of Si{n}+ in the suboxide Si1+ to Si3+", 0.0, 1.0)
            for n in (1, 2, 3)
        ),
        maybe(
            "transition_width_A",
            "angstrom",
            "depth over which the oxidation state rises from 10 to 90 % of 4, by a fit of an error function; empty "
            "where the fit ends at a bound",
            0.0,
            1e3,
        ),
        maybe(
            "transition_width_isotonic_A",
            "angstrom",
            "the same depth without a model, by isotonic regression; empty where 90 % is not reached",
            0.0,
            1e3,
        ),
        maybe("error_function_width_A", "angstrom", "standard deviation of the error function's step", 0.0, 1e3),
        maybe("interface_position_A", "angstrom", "height where the mean oxidation state crosses 2", -1e4, 1e4),
        maybe("interface_roughness_A", "angstrom", "root mean square height of the dividing surface", 0.0, 1e3),
        maybe(
            "interface_correlation_length_A",
            "angstrom",
            "distance in the plane over which the dividing surface's autocorrelation falls to 1/e; near 3.84 where it "
            "is uncorrelated, empty where it is flat or correlated over half the cell",
            0.0,
            1e4,
        ),
        maybe(
            "bridge_fraction",
            "1",
            "share of the O at the interface that join two Si of the substrate's side",
            0.0,
            1.0,
        ),
        maybe(
            "interface_energy_J_m2",
            "J/m2",
            "energy beyond that of as much crystal and oxide as in the film's interior; empty without an interior",
            -1e3,
            1e3,
        ),
        *(
            number(f"si{n}_photoemission_share", "1", f"share of Si{n}+ in the Si 2p signal (escape 7 A)", 0.0, 1.0)
            for n in OXIDATION_STATES
        ),
        count("n_silicon_inclusions", "clusters of two or more Si joined by Si-Si bonds, cut off from the substrate"),
        count("largest_silicon_inclusion", "Si atoms in the largest of these; 0 without any"),
        number(
            "strain_energy_eV_per_atom",
            "eV",
            "bond, angle, repulsion energy of the slab per mobile atom",
            0.0,
            100.0,
        ),
        number("bond_energy_eV", "eV", "bond-stretching energy", 0.0),
        number("angle_energy_eV", "eV", "bond-bending energy", 0.0),
        number("suboxide_energy_eV", "eV", "suboxide penalty", 0.0),
        number("repulsion_energy_eV", "eV", "repulsion between atoms that share no bond or angle", 0.0),
        maybe("si_o_si_angle_deg", "degree", "mean Si-O-Si angle", 0.0, 180.0),
        *(
            maybe(f"rings_{n}_per_si", "1", f"rings of {n} Si in the oxide's interior, per Si there", 0.0, 1e3)
            for n in range(3, 10)
        ),
        maybe("mean_ring_size", "1", "mean size of the rings of the oxide's interior", 2.0, 12.0),
        maybe("si_o_si_angle_sd_deg", "degree", "standard deviation of the Si-O-Si angles in the film", 0.0, 180.0),
        maybe(
            "film_density_g_cm3",
            "g/cm3",
            "mass density of the oxide's interior, from 3 angstrom above the interface to 2.5 below the surface; empty "
            "where that is thinner than 3 angstrom",
            0.0,
            25.0,
        ),
        maybe("lateral_stress_GPa", "GPa", "lateral stress of the oxide's interior, tension positive", -1e4, 1e4),
        maybe("accepted_fraction", "1", "accepted share of the moves tried in the stage's last anneal step", 0.0, 1.0),
        number("kT_eV", "eV", "temperature of the Metropolis criterion as an energy", 0.0, 100.0),
        *(
            maybe(
                f"{name}_standard_error",
                unit,
                f"standard error of {name} within this film, from decorrelated samples; empty where it was not sampled",
                0.0,
                1e16,
            )
            for name, unit in (
                ("suboxide_total_monolayers", "1"),
                ("suboxide_total_per_cm2", "1/cm2"),
                ("suboxide_fraction_1", "1"),
                ("suboxide_fraction_2", "1"),
                ("suboxide_fraction_3", "1"),
                ("film_density_g_cm3", "g/cm3"),
                ("si_o_si_angle_deg", "degree"),
                ("lateral_stress_GPa", "GPa"),
                ("transition_width_A", "angstrom"),
                ("strain_energy_eV_per_atom", "eV"),
            )
        ),
    ),
    (
        ("si0_fraction to si4_fraction sum to 1", sums_to_one([f"si{n}_fraction" for n in OXIDATION_STATES])),
        ("photoemission shares sum to 1", sums_to_one([f"si{n}_photoemission_share" for n in OXIDATION_STATES])),
        ("suboxide_fraction_1 to _3 sum to 1", sums_to_one([f"suboxide_fraction_{n}" for n in (1, 2, 3)])),
    ),
)

OXIDE_SITES = Table(
    "oxide_sites",
    "Atoms of the final films: as the last frame has them, and (sampled_...) in the mean over the stationary frames.",
    ("orientation", "temperature_K", "approach", "replica", "site"),
    (
        ORIENTATION,
        TEMPERATURE,
        APPROACH,
        REPLICA,
        count("site", "number of the atom in the film, from 0"),
        text("element", "chemical element", "Si", "O"),
        number("x_A", "angstrom", "position along x"),
        number("y_A", "angstrom", "position along y"),
        number("z_A", "angstrom", "position along the surface normal"),
        maybe("depth_A", "angstrom", "distance from the interface, positive into the oxide"),
        Column("oxidation_state", "int", "1", "oxygen neighbours of a Si; 0 for O", 0, 4),
        Column("coordination", "int", "1", "number of bonds", 0, 8),
        maybe("mean_bond_length_A", "angstrom", "mean length of the bonds of the atom", 0.0, 10.0),
        maybe("mean_angle_deg", "degree", "mean bond angle at the atom", 0.0, 180.0),
        maybe("voronoi_volume_A3", "angstrom3", "volume of the Voronoi cell; empty at a free surface", 0.0, 1e6),
        maybe("smallest_ring", "1", "Si in the smallest ring through a Si, up to 12; empty for O", 2.0, 12.0),
        maybe("mean_ring_size", "1", "mean size of the shortest-path rings through a Si; empty for O", 2.0, 12.0),
        number("energy_eV", "eV", "share of the atom in the energy"),
        Column("frozen", "bool", "", "whether the atom is held at its crystal site, or belongs to a free back"),
        *(
            column
            for name, unit, high in (
                ("depth_A", "angstrom", 1e4),
                ("oxidation_state", "1", 4.0),
                ("mean_bond_length_A", "angstrom", 10.0),
                ("mean_angle_deg", "degree", 180.0),
                ("energy_eV", "eV", 1e3),
            )
            for column in (
                maybe(
                    f"sampled_{name}",
                    unit,
                    f"mean of {name} over the stationary frames of the film's sampling; empty where it was not sampled",
                    -high,
                    high,
                ),
                maybe(
                    f"sampled_{name}_standard_error",
                    unit,
                    "its standard error within this film, from decorrelated frames; empty where too few are "
                    "independent, and where it never changed",
                    0.0,
                ),
            )
        ),
    ),
)

OXIDE_PROFILES = Table(
    "oxide_profiles",
    "Depth profiles of the films after every growth stage; of a sampled film the mean over its stationary frames.",
    ("orientation", "temperature_K", "approach", "replica", "stage", "depth_A"),
    (
        ORIENTATION,
        TEMPERATURE,
        APPROACH,
        REPLICA,
        STAGE,
        number("depth_A", "angstrom", "distance from the interface, positive into the oxide; centre of the bin"),
        *(
            number(f"si{n}_per_A3", "1/angstrom3", f"Si with {n} oxygen neighbours per volume", 0.0)
            for n in OXIDATION_STATES
        ),
        number("o_per_A3", "1/angstrom3", "O per volume", 0.0),
        number("density_g_cm3", "g/cm3", "mass density", 0.0, 25.0),
        *(
            maybe(
                f"{name}_standard_error",
                unit,
                f"standard error of {name} within this film, from decorrelated frames; empty where it was not sampled, "
                "too few frames are independent, or it never changed",
                0.0,
            )
            for name, unit in (
                *((f"si{n}_per_A3", "1/angstrom3") for n in OXIDATION_STATES),
                ("o_per_A3", "1/angstrom3"),
                ("density_g_cm3", "g/cm3"),
            )
        ),
    ),
)

OXIDE_RDF = Table(
    "oxide_rdf",
    "Partial radial distribution functions of the interior of the final films' oxide.",
    ("orientation", "temperature_K", "approach", "replica", "pair", "r_A"),
    (
        ORIENTATION,
        TEMPERATURE,
        APPROACH,
        REPLICA,
        text("pair", "elements of the pair", "Si-Si", "Si-O", "O-O"),
        number("r_A", "angstrom", "distance, centre of the bin", 0.0, 100.0),
        number("g", "1", "radial distribution function", 0.0),
    ),
)

OXIDE_STRUCTURE_FACTORS = Table(
    "oxide_structure_factors",
    "Structure factors of the interior of the final films' oxide, for wave vectors in the plane.",
    ("orientation", "temperature_K", "approach", "replica", "radiation", "q_per_A"),
    (
        ORIENTATION,
        TEMPERATURE,
        APPROACH,
        REPLICA,
        text("radiation", "what is scattered", "x-ray", "neutron"),
        number("q_per_A", "1/angstrom", "mean length of the wave vectors of the bin", 0.0, 100.0),
        number("s", "1", "Faber and Ziman's total structure factor"),
        count("n_vectors", "wave vectors in the bin, q and -q counted once", 1),
    ),
)
