"""The OpenMM platform of a run: the first that really evaluates the forces of the System at hand.

A platform that is listed can still fail when a Context is made, and an OpenCL device can be the processor in disguise.
So every candidate evaluates the real forces inside a try, and its energy and forces are compared with the Reference
platform's (double precision).
"""

import logging
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from moxie.errors import InputError

ORDER = ("CUDA", "HIP", "OpenCL", "CPU")
_PRECISION = {"CUDA": "mixed", "HIP": "mixed", "OpenCL": "mixed"}
_ENERGY_TOLERANCE = 1e-3  # of the sum of |energy| and 1 kJ/mol per 10 sites
_FORCE_TOLERANCE = 5e-3  # rms deviation over rms force
_PROCESSOR_WORDS = (
    "cpu", "pocl", "portable computing language", "pthread", "llvmpipe", "oclgrind", "xeon", "epyc", "ryzen",
    "threadripper", "opteron", "core(tm)", "pentium", "celeron", "neoverse",
)  # fmt: skip
_SITES_PER_PERCENT = 200  # a box of 20,000 sites fills a graphics card
_SMALLEST_SHARE = 25


@dataclass(frozen=True)
class PlatformChoice:
    """A platform, its precision and the properties that a Context needs."""

    name: str
    precision: str
    properties: dict[str, str]

    @property
    def made_by(self) -> dict[str, str]:
        """Return what a binary checkpoint depends on; nothing else reads one."""
        return {"platform": self.name, "precision": self.precision, "openmm": openmm_version()}

    def context(self, system: Any, integrator: Any) -> Any:
        """Return a new Context on this platform."""
        import openmm

        if self.name == "CPU":  # particle-mesh Ewald has its own threads, as many as there are cores unless told
            os.environ["OPENMM_CPU_THREADS"] = self.properties["Threads"]
        return openmm.Context(system, integrator, openmm.Platform.getPlatformByName(self.name), self.properties)


def gpu_percent(n_sites: int) -> int:
    """Return the share of a graphics card that a box takes; small boxes leave most of a card idle and can share it."""
    return min(100, max(_SMALLEST_SHARE, n_sites // _SITES_PER_PERCENT))


def choose_platform(
    system: Any, positions_nm: np.ndarray, requested: str = "auto", threads: int = 1, log: logging.Logger | None = None
) -> PlatformChoice:
    """Return the platform to run a System on.

    `requested` is auto (CUDA, HIP, OpenCL, CPU in that order) or one of these names. A GPU platform must give finite
    energies and forces that agree with the Reference platform's; an OpenCL device that is a processor is refused.
    Raises InputError when the requested platform, or every one, fails, with the reason of each.
    """
    log = log or logging.getLogger(__name__)
    if requested != "auto" and requested not in ORDER:
        raise InputError(f"dynamics.platform: {requested!r} is unknown; allowed are auto, {', '.join(ORDER)}.")
    candidates = ORDER if requested == "auto" else (requested,)
    available = _available()
    reasons = {}
    for name in candidates:
        if name not in available:
            reasons[name] = "not part of this OpenMM installation"
            continue
        properties = {"Threads": str(threads)} if name == "CPU" else {"Precision": _PRECISION[name]}
        choice = PlatformChoice(name, "mixed" if name != "CPU" else "single", properties)
        reason = _failure(choice, system, positions_nm)
        if reason is None:
            return choice
        reasons[name] = reason
        log.debug("platform %s is not used: %s", name, reason)
    told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    raise InputError(
        f"dynamics.platform: {requested} cannot run this system ({told}). Set the platform to auto or CPU, or install"
        " OpenMM for the graphics card."
    )


def _available() -> list[str]:
    import openmm

    return [openmm.Platform.getPlatform(index).getName() for index in range(openmm.Platform.getNumPlatforms())]


def _failure(choice: PlatformChoice, system: Any, positions_nm: np.ndarray) -> str | None:
    """Return why a platform cannot be used, or None."""
    try:
        energy, forces, device = evaluate(choice, system, positions_nm)
    except Exception as error:  # OpenMM, the driver and the compiler raise what they like
        return " ".join(str(error).split())[:200] or type(error).__name__
    if choice.name == "OpenCL" and any(word in device.lower() for word in _PROCESSOR_WORDS):
        return f"its device {device!r} is a processor; the CPU platform is faster there"
    if not np.isfinite(energy) or not np.isfinite(forces).all():
        return "its energy or forces are not finite"
    if choice.name == "CPU":
        return None
    reference = PlatformChoice("Reference", "double", {})
    return disagreement((energy, forces), evaluate(reference, system, positions_nm)[:2])


def evaluate(choice: PlatformChoice, system: Any, positions_nm: np.ndarray) -> tuple[float, np.ndarray, str]:
    """Return the potential energy (kJ/mol), the forces (n, 3; kJ/mol/nm) and the name of the device."""
    import openmm

    context = choice.context(system, openmm.VerletIntegrator(0.001))
    context.setPositions(positions_nm)
    state = context.getState(energy=True, forces=True)
    platform = context.getPlatform()
    known = [name for name in ("OpenCLPlatformName", "DeviceName") if name in platform.getPropertyNames()]
    device = ", ".join(platform.getPropertyValue(context, name) for name in known)
    return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value, device


def disagreement(found: tuple[float, np.ndarray], expected: tuple[float, np.ndarray]) -> str | None:
    """Return how energies and forces disagree beyond single precision, or None where they agree."""
    scale = abs(expected[0]) + 0.1 * len(expected[1])
    if abs(found[0] - expected[0]) > _ENERGY_TOLERANCE * scale:
        return f"its energy {found[0]:.6g} kJ/mol is not the Reference platform's {expected[0]:.6g} kJ/mol"
    rms = float(np.sqrt(np.mean(expected[1] ** 2)))
    deviation = float(np.sqrt(np.mean((found[1] - expected[1]) ** 2)))
    if deviation > _FORCE_TOLERANCE * max(rms, 1.0):
        return f"its forces deviate from the Reference platform's by {deviation / max(rms, 1.0):.2%}"
    return None


def openmm_version() -> str:
    """Return the version of OpenMM."""
    import openmm

    return str(openmm.version.version)
