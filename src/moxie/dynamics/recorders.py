"""What runs record: the time series of a liquid and of an isolated molecule, and trajectories."""

import time
from dataclasses import dataclass, field

import numpy as np

from moxie.constants import AMU_PER_NM3_IN_G_CM3, GAS_CONSTANT_KJ_MOL_K
from moxie.dynamics.checkpoints import SegmentWriter
from moxie.dynamics.engine import Engine
from moxie.dynamics.motion import degrees_of_freedom
from moxie.dynamics.precision import StoppingRule
from moxie.dynamics.protocol import RunSettings
from moxie.dynamics.sampling import ENERGY, POSITIONS, Moment
from moxie.dynamics.systems import Model, site_charges_e
from moxie.errors import InputError
from moxie.job import Progress

_EVAPORATED = 4.0


@dataclass(frozen=True)
class Sample:
    """One row of the time series of a liquid (`series.LIQUID`)."""

    time_ps: float
    potential_energy_kJ_mol: float
    temperature_K: float
    volume_nm3: float
    density_g_cm3: float
    dipole_e_nm: tuple[float, float, float]  # of the whole box, molecules unwrapped

    @property
    def row(self) -> list[float]:
        """Return the numbers in the order of `series.LIQUID`."""
        return [
            self.time_ps, self.potential_energy_kJ_mol, self.temperature_K, self.volume_nm3, self.density_g_cm3,
            *self.dipole_e_nm,
        ]  # fmt: skip


class Sampler:
    """Makes samples of a box from moments."""

    def __init__(self, model: Model):
        self._mass_g_mol = model.mass_g_mol
        self._degrees = degrees_of_freedom(model.system)
        self._charges_e = site_charges_e(model.system)

    def at(self, moment: Moment) -> Sample:
        """Return the sample of a moment, which has to know energy and positions."""
        volume = moment.volume_nm3
        x, y, z = (self._charges_e @ moment.positions_nm).tolist()
        return Sample(
            moment.time_ps,
            moment.potential_kJ_mol,
            2 * moment.kinetic_kJ_mol / (self._degrees * GAS_CONSTANT_KJ_MOL_K),
            volume,
            self._mass_g_mol / volume * AMU_PER_NM3_IN_G_CM3,
            (x, y, z),
        )


class LiquidSeries:
    """The time series of a box, for its file and for the decision when to stop."""

    needs = frozenset({ENERGY, POSITIONS})

    def __init__(self, engine: Engine, writer: SegmentWriter, rule: StoppingRule, liquid_nm3: float, say: Progress):
        self.interval = engine.settings.sample_steps
        self._engine, self._writer, self._rule, self._liquid_nm3, self._say = engine, writer, rule, liquid_nm3, say
        self._sampler = Sampler(engine.model)
        self._begin, self._begin_ps = time.monotonic(), engine.time_ps

    def record(self, moment: Moment) -> None:
        """Add a row; raises InputError where the liquid evaporates."""
        sample = self._sampler.at(moment)
        check_still_liquid(sample, self._liquid_nm3, self._engine.settings)
        self._writer.add(sample.row)
        self._rule.add(np.array([sample.row]))
        rate = ns_per_day(sample.time_ps - self._begin_ps, time.monotonic() - self._begin)
        self._say.update(sample.time_ps, f"{rate:.0f} ns/day, {sample.density_g_cm3:.4f} g/cm3")


class IsolatedSeries:
    """The time series of one molecule, which goes into its stopping rule alone."""

    needs = frozenset({ENERGY})

    def __init__(self, engine: Engine, rule: StoppingRule):
        self.interval = engine.settings.sample_steps
        self._sample_ps = engine.settings.sample_ps
        self._rule, self._degrees = rule, degrees_of_freedom(engine.model.system)

    def record(self, moment: Moment) -> None:
        """Add a row; the time is that since the sampling began."""
        temperature_K = 2 * moment.kinetic_kJ_mol / (self._degrees * GAS_CONSTANT_KJ_MOL_K)
        time_ps = (self._rule.n_samples + 1) * self._sample_ps
        self._rule.add(np.array([[time_ps, moment.potential_kJ_mol, temperature_K]]))


@dataclass(frozen=True)
class Trajectory:
    """The frames of a run; molecules are whole and never jump across the box."""

    writer: SegmentWriter
    interval: int
    needs: frozenset[str] = field(default=frozenset({POSITIONS}), init=False)

    def record(self, moment: Moment) -> None:
        """Add a frame."""
        self.writer.add_frame(moment.step, moment.positions_nm, moment.vectors_nm)


def check_still_liquid(sample: Sample, liquid_nm3: float, settings: RunSettings) -> None:
    """Raise InputError for a box that has grown to four times its volume at the start: the liquid evaporates.

    The mesh of the Ewald sums is that of the start, and what is measured of liquids has no meaning.
    """
    if sample.volume_nm3 > _EVAPORATED * liquid_nm3:
        density = sample.density_g_cm3 * sample.volume_nm3 / liquid_nm3
        raise InputError(
            f"The liquid evaporates at {settings.temperature_K:g} K and {settings.pressure_bar:g} bar: after"
            f" {sample.time_ps:.1f} ps the density is {sample.density_g_cm3:.3f} g/cm3, where it began with"
            f" {density:.3f}. Use a lower temperature or a higher pressure, or ensemble NVT; for a dilute phase give"
            " its density_g_cm3."
        )


def ns_per_day(time_ps: float, used_s: float) -> float:
    """Return the simulated time per day."""
    return time_ps / 1000 / max(used_s, 1e-9) * 86400
