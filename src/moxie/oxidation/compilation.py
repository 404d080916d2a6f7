"""How the kernels are compiled, and a cache of the compiled code that knows when any of the sources has changed.

The compiler's own cache looks at the file of each function alone, not at the functions it calls; so the cache's folder
is named after the sources of all kernels. NUMBA_CACHE_DIR names the folder's place, by default the user's cache.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numba

_KERNELS = (
    "compilation",
    "energy",
    "kernels",
    "moves",
    "random_stream",
    "relaxation",
    "repulsion",
    "sampler",
    "state",
    "surrogate",
)
_SOURCES = b"\0".join(Path(__file__).with_name(f"{name}.py").read_bytes() for name in _KERNELS)
_DIGEST = hashlib.sha256(_SOURCES).hexdigest()[:16]
_BASE = os.environ.get("NUMBA_CACHE_DIR") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "moxie", "numba"
)
numba.config.CACHE_DIR = os.path.join(_BASE, f"oxidation-{_DIGEST}")  # type: ignore[attr-defined]

# The kernels allocate nothing: doing without reference counts (`_nrt`) and checks of division (`error_model`) makes a
# move almost four times as fast.
_OPTIONS: Any = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
kernel = numba.njit(**_OPTIONS)
inlined = numba.njit(**_OPTIONS, forceinline=True)
