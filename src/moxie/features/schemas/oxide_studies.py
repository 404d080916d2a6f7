"""Tables beside the films: both approaches, bulk networks, films at equilibrium, growth kinetics."""

from moxie.approaches import SIDES
from moxie.features.schemas.columns import (
    ORIENTATION,
    OXIDATION_STATES,
    REPLICA,
    TEMPERATURE,
    averaged,
    count,
    maybe,
    number,
    sums_to_one,
    text,
)
from moxie.features.schemas.table import VARIES, Column, Table

OXIDE_BULK = Table(
    "oxide_bulk",
    "Annealed bulk SiOx: one row per composition, temperature and replica.",
    ("x", "kT_eV", "replica"),
    (
        number("x", "1", "O atoms per Si atom", 0.0, 2.0),
        number("kT_eV", "eV", "temperature of the anneal as an energy", 0.0, 100.0),
        REPLICA,
        text("parameter_set", "name of the energy parameters"),
        count("n_si", "silicon atoms", 1),
        count("n_o", "oxygen atoms"),
        number("density_g_cm3", "g/cm3", "mass density at zero pressure", 0.0, 25.0),
        number("strain_energy_eV_per_si", "eV", "bond, angle and repulsion energy per Si", 0.0, 100.0),
        number("suboxide_energy_eV_per_si", "eV", "suboxide penalty per Si", 0.0, 10.0),
        number("energy_eV_per_si", "eV", "sum of both", 0.0, 100.0),
        number("start_suboxide_energy_eV_per_si", "eV", "the penalty of the start, O on random bonds", 0.0, 10.0),
        number(
            "random_bond_suboxide_energy_eV_per_si",
            "eV",
            "exact mean of the penalty over all ways to place the O on the bonds: infinite temperature",
            0.0,
            10.0,
        ),
        *(
            number(f"si{n}_fraction", "1", f"fraction of the Si with {n} oxygen neighbours", 0.0, 1.0)
            for n in OXIDATION_STATES
        ),
        maybe("si_o_si_angle_deg", "degree", "mean Si-O-Si angle", 0.0, 180.0),
        count("n_silicon_clusters", "clusters of two or more Si joined by Si-Si bonds"),
        maybe("largest_cluster_share", "1", "share of the Si in clusters that is in the largest", 0.0, 1.0),
        maybe("mean_cluster_size", "1", "Si in the cluster of a Si with a Si-Si bond, on average", 1.0),
        Column("percolating_directions", "int", "1", "axes along which a cluster meets its periodic image", 0, 3),
        maybe("accepted_fraction", "1", "accepted share of all attempts of the anneal", 0.0, 1.0),
    ),
    (("si0_fraction to si4_fraction sum to 1", sums_to_one([f"si{n}_fraction" for n in OXIDATION_STATES])),),
)

OXIDE_EQUILIBRIUM = Table(
    "oxide_equilibrium",
    "One film of each surface at equilibrium with its oxygen fixed, against temperature: replica exchange and MBAR.",
    ("orientation", "temperature_K"),
    (
        ORIENTATION,
        TEMPERATURE,
        number("kT_eV", "eV", "temperature as an energy", 0.0, 100.0),
        Column("is_rung", "bool", "", "whether replicas were simulated at this temperature"),
        text("status", "ok, or why there is no value at this temperature"),
        number("film_temperature_K", "K", "temperature at which the film was grown", 1.0, 5000.0),
        count("n_o", "oxygen atoms in the film, the same at every temperature", 1),
        count("n_rungs", "temperatures of the ladder", 2),
        maybe("independent_rounds", "1", "samples of each rung left after thinning by the slowest memory", 0.0),
        maybe("effective_samples", "1", "Kish's number of samples that carry the value, of all rungs", 0.0),
        count("round_trips", "journeys of all replicas from the lowest rung to the highest and back"),
        count("travelling_replicas", "replicas that made one or more of them"),
        maybe("least_swap_acceptance", "1", "lowest share of exchanges accepted between neighbouring rungs", 0.0, 1.0),
        *(
            column
            for n in (1, 2, 3)
            for column in averaged(f"si{n}_per_cm2", "1/cm2", f"mobile Si with {n} oxygen neighbours per area")
        ),
        *averaged("suboxide_total_per_cm2", "1/cm2", "Si with 1, 2 or 3 oxygen neighbours per area"),
        *averaged(
            "suboxide_total_monolayers", "1", "suboxide_total_per_cm2 over the atoms of one plane of this surface", 1e3
        ),
        *(
            column
            for n in (1, 2, 3)
            for column in averaged(f"suboxide_fraction_{n}", "1", f"share of Si{n}+ in the suboxide Si1+ to Si3+", 1.0)
        ),
        *averaged("suboxide_energy_eV", "eV", "suboxide penalty of the film"),
        *averaged("strain_energy_eV_per_atom", "eV", "bond, angle and repulsion energy per mobile atom", 100.0),
    ),
)

OXIDE_APPROACHES = Table(
    "oxide_approaches",
    "Final films that came to their temperature from the disordered and from the ordered side, beside each other.",
    ("orientation", "temperature_K", "quantity"),
    (
        ORIENTATION,
        TEMPERATURE,
        text("quantity", "column of oxide_runs"),
        text("unit", "unit of all numbers of the row"),
        *(
            column
            for side in SIDES
            for column in (
                number(side, VARIES, f"mean over the films of the {side} side"),
                maybe(f"{side}_standard_error", VARIES, "its standard error; empty for one film", 0.0),
                count(f"{side}_films", f"films of the {side} side that have the quantity", 1),
            )
        ),
        number("gap", VARIES, "ordered less disordered"),
        maybe("gap_standard_error", VARIES, "standard error of the gap; empty where a side has one film", 0.0),
        text(
            "verdict",
            "agree: the 95 % interval of the gap holds zero, and the value is one of equilibrium as far as it is "
            "known; too imprecise: it reaches further than half of the value on either side",
            "agree",
            "differ",
            "too imprecise",
            "no standard error",
        ),
        number("lowest", VARIES, "lower end of the interval between the sides"),
        number("highest", VARIES, "upper end of the interval between the sides"),
        number("value", VARIES, "mean of the two sides"),
        maybe("standard_error", VARIES, "its standard error: at least half of the gap", 0.0),
    ),
)

GROWTH_CURVES = Table(
    "growth_curves",
    "Oxide thickness against time from the growth kinetics, one curve per orientation and temperature.",
    ("orientation", "temperature_K", "time_s"),
    (
        ORIENTATION,
        TEMPERATURE,
        number("time_s", "s", "time in the recipe's last step, which is at this temperature", 0.0),
        number("thickness_nm", "nm", "oxide thickness", 0.0, 1e6),
        number(
            "thickness_standard_error_nm",
            "nm",
            "standard error of the thickness from the scatter of the published rate constants",
            0.0,
            1e6,
        ),
        Column("is_recipe", "bool", "", "whether this is the time of the study's recipe"),
        text("kinetics", "name of the growth law"),
        text("ambient", "oxidising gas"),
    ),
)
