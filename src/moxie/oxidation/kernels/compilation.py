"""How the kernels are compiled, and a cache of the compiled code that knows when any of the sources has changed.

The compiler's own cache looks at the file of each function alone, not at the functions it calls; so the cache's folder
is named after the sources of all kernels. NUMBA_CACHE_DIR names the folder's place, by default the user's cache.
"""

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.registry import CPUDispatcher

_FOLDER = Path(__file__).parent
_SOURCES = b"\0".join(
    path.read_bytes() for path in (*sorted(_FOLDER.glob("*.py")), _FOLDER.parent / "parameter_sets.py")
)  # the last one's SKIN_A is compiled in
_DIGEST = hashlib.sha256(_SOURCES).hexdigest()[:16]
_BASE = os.environ.get("NUMBA_CACHE_DIR") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "moxie", "numba"
)
numba.config.CACHE_DIR = os.path.join(_BASE, f"oxidation-{_DIGEST}")  # type: ignore[attr-defined]

# The kernels allocate nothing: doing without reference counts (`_nrt`) and checks of division (`error_model`) makes a
# move almost four times as fast.
_OPTIONS: Any = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
_ENTRY: Any = _OPTIONS | {"cache": True}
_INNER: Any = _OPTIONS | {"no_cpython_wrapper": True}


class _Inner(CPUDispatcher):
    """A kernel without the code that unpacks Python's arguments, half of the compiler's work; a call would crash."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self.py_func.__name__
        raise TypeError(f"The kernel `{name}` is for other kernels; `called_from_python` makes an entry of it.")


def _inner(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    def compiled(function: Callable[..., Any]) -> Any:
        made: Any = numba.njit(**_INNER, **options)(function)
        made.__class__ = _Inner
        return made

    return compiled


kernel = _inner()
inlined = _inner(forceinline=True)  # where every move comes by: a call hands over the descriptors of all arrays
summing = _inner(forceinline=True, fastmath={"reassoc", "nnan", "nsz"})  # several terms at a time
merged = _inner(inline="always")  # into the source of its one caller: a large kernel is compiled once, not twice
entry = numba.njit(**_ENTRY)  # what Python calls, with all that it calls


@functools.cache
def called_from_python(inner: Any) -> Any:
    """Return a kernel as an entry, compiled anew and not cached: for tests and benchmarks of parts."""
    return numba.njit(**_OPTIONS)(inner.py_func)
