"""What to cite with the results of a study: moxie, and the methods and programs behind its stages."""

from collections.abc import Mapping
from typing import Any

_WORKFLOW = "Snakemake: Mölder et al., F1000Research 10, 33 (2021)"
_STAGES = {
    "dynamics": "OpenMM: Eastman et al., J. Phys. Chem. B 128, 109 (2024)",
    "quantum_chemistry": "GFN2-xTB: Bannwarth, Ehlert and Grimme, J. Chem. Theory Comput. 15, 1652 (2019)",
    "learning": "scikit-learn: Pedregosa et al., J. Mach. Learn. Res. 12, 2825 (2011)",
}
_PARAMETER_SETS = {
    "von_alfthan_2003": "oxide: von Alfthan, Kuronen and Kaski, Phys. Rev. B 68, 073203 (2003)",
    "tu_tersoff_2000": "oxide: Tu and Tersoff, Phys. Rev. Lett. 84, 4393 (2000)",
}
_KINETICS = {
    "deal_grove": "growth: Deal and Grove, J. Appl. Phys. 36, 3770 (1965)",
    "deal_grove_table": "growth: Deal and Grove, J. Appl. Phys. 36, 3770 (1965)",
    "massoud": "growth: Massoud, Plummer and Irene, J. Electrochem. Soc. 132, 2685 (1985)",
}


def citations(config: Mapping[str, Any], version: str) -> list[str]:
    """Return what to cite, a line each, from a study's configuration and the version of moxie."""
    lines = [f"The moxie developers, moxie, version {version} (CITATION.cff in its repository)", _WORKFLOW]
    lines += [text for stage, text in _STAGES.items() if config.get(stage)]
    if oxidation := config.get("oxidation"):
        lines += [
            known[key]
            for known, key in (
                (_PARAMETER_SETS, oxidation.get("parameter_set")),
                (_KINETICS, oxidation.get("recipe", {}).get("kinetics", "deal_grove")),
            )
            if key in known
        ]
    return lines
