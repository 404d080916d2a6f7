"""Write envs/moxie.yaml, a conda environment with the pins of envs/core.txt."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def conda_file() -> str:
    """Return the environment: Python from conda-forge, every package from its pin in the lock."""
    pins = re.findall(r"^([\w.\[\]-]+==[^\s\\]+(?: ; [^\\\n]+?)?) \\$", (FOLDER / "core.txt").read_text(), re.MULTILINE)
    lines = ["# Made from core.txt by `make lock`. Untested: the pipeline is tested with the locks alone.", "channels:"]
    lines += ["  - conda-forge", "dependencies:", "  - python=3.11", "  - pip", "  - pip:"]
    return "\n".join(lines + [f'      - "{pin}"' for pin in pins]) + "\n"


if __name__ == "__main__":
    (FOLDER / "moxie.yaml").write_text(conda_file())
