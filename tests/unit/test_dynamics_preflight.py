from dataclasses import replace

import pytest

from moxie.dynamics.preflight import check_run
from moxie.dynamics.protocol import Settings
from moxie.errors import InputError

SMILES = {
    "methanol": "CO",
    "benzene": "c1ccccc1",
    "water": "O",
    "lithium": "[Li+]",
    "tfsi": "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F",
}
LIQUID = Settings(298.15)
SALT = Settings(298.15, "und", "NVT", density_g_cm3=1.577, cutoff_nm=0.7, timestep_fs=1.0)


def test_the_systems_of_the_default_study_pass():
    check_run("methanol", {"methanol": 216}, SMILES, LIQUID)
    check_run("litfsi_10m", {"lithium": 9, "tfsi": 9, "water": 50}, SMILES, SALT)


@pytest.mark.parametrize(
    ("composition", "settings", "message"),
    [
        ({"ethanol": 216}, LIQUID, "'ethanol' is not among the molecules"),
        ({"benzene": 216}, LIQUID, "trappe_ua has no type"),
        ({"methanol": 50}, LIQUID, "too small for a cut-off"),
        ({"methanol": 216}, replace(LIQUID, timestep_fs=4.0), "timestep_fs is 4"),
        ({"methanol": 216}, replace(LIQUID, force_field="trappe"), "Did you mean 'trappe_ua'"),
        ({"lithium": 9, "tfsi": 8, "water": 50}, SALT, r"charge \+1: 9 lithium \(\+1\), 8 tfsi \(-1\)"),
        ({"lithium": 9, "tfsi": 9, "water": 50}, replace(SALT, density_g_cm3=None), "needs density_g_cm3"),
        ({"lithium": 9, "tfsi": 9, "water": 50}, replace(SALT, cutoff_nm=0.8), "too small for a cut-off"),
    ],
)
def test_what_cannot_run_is_refused_before_it_starts(composition, settings, message):
    with pytest.raises(InputError, match=message) as error:
        check_run("it", composition, SMILES, settings)
    assert str(error.value).startswith("dynamics.systems.it")
