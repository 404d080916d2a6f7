"""How a run goes: its settings, their limits, and the random streams and numbers that follow from them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from moxie.dynamics.force_fields import ForceField
from moxie.dynamics.precision import check_precision
from moxie.errors import InputError
from moxie.timeseries import FEWEST_SAMPLES

_WARM_UP_FS = (0.5, 1.0, 2.0)
WARM_UP_STEPS = 200
_MOST_SAMPLES = 20_000_000  # of a run, whose time series is read as a whole, 2 GB
_LONGEST_FS = {  # constraints -> longest step with true and with heavy (3 amu or more) hydrogens
    "none": (1.25, 2.5),
    "h_bonds": (2.5, 4.5),
    "all_bonds": (2.5, 5.0),
}


@dataclass(frozen=True)
class RunSettings:
    """The physics of one run at one state point; every field takes part in the checkpoint's digest."""

    temperature_K: float
    force_field: str = "trappe_ua"
    ensemble: Literal["NPT", "NVT"] = "NPT"
    pressure_bar: float = 1.0
    density_g_cm3: float | None = None  # NVT: the density; NPT: first guess
    cutoff_nm: float = 1.0
    timestep_fs: float = 2.0
    hydrogen_mass_amu: float | None = None
    pme_tolerance: float = 5e-4
    friction_per_ps: float = 1.0
    barostat_interval: int = 10
    equilibration_ps: float = 20.0
    sampling_ps: float = 100.0  # with a precision, the longest time
    precision: Mapping[str, float] = field(default_factory=dict)  # quantity -> standard error that ends the run
    sample_interval_ps: float = 0.2
    frame_interval_ps: float = 1.0

    @property
    def sample_steps(self) -> int:
        """Return the steps between two rows of the time series."""
        return max(1, round(1000 * self.sample_interval_ps / self.timestep_fs))

    @property
    def sample_ps(self) -> float:
        """Return the time between two rows of the time series."""
        return self.sample_steps * self.timestep_fs / 1000

    @property
    def samples_per_frame(self) -> int:
        """Return the rows of the time series between two frames of the trajectory."""
        return max(1, round(1000 * self.frame_interval_ps / self.timestep_fs / self.sample_steps))

    @property
    def frame_steps(self) -> int:
        """Return the steps between two frames of the trajectory."""
        return self.samples_per_frame * self.sample_steps

    @property
    def equilibration_samples(self) -> int:
        """Return the rows of the configured equilibration."""
        return round(1000 * self.equilibration_ps / self.timestep_fs / self.sample_steps)

    @property
    def total_samples(self) -> int:
        """Return the rows of the whole time series, equilibration included; with a precision, at most."""
        total_ps = self.equilibration_ps + self.sampling_ps
        return max(1, round(1000 * total_ps / self.timestep_fs / self.sample_steps))

    @property
    def warm_up_fs(self) -> list[float]:
        """Return the time steps of the warm-up, from short to the production step."""
        return [*(step for step in _WARM_UP_FS if step < self.timestep_fs), self.timestep_fs]

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self)


def check_settings(settings: RunSettings, force_field: ForceField) -> None:
    """Raise InputError for settings that cannot give a sound run."""
    if settings.temperature_K <= 0:
        raise InputError(f"temperature_K is {settings.temperature_K:g}; it must be above 0 K.")
    if settings.ensemble not in ("NPT", "NVT"):
        raise InputError(f"ensemble is {settings.ensemble!r}; allowed are NPT and NVT.")
    if settings.ensemble == "NVT" and settings.density_g_cm3 is None:
        raise InputError("ensemble NVT needs density_g_cm3, the density at which the box is held.")
    for name in ("timestep_fs", "sampling_ps", "sample_interval_ps", "frame_interval_ps", "cutoff_nm"):
        if not getattr(settings, name) > 0:
            raise InputError(f"{name} is {getattr(settings, name):g}; it must be above 0.")
    if not settings.sample_interval_ps <= settings.frame_interval_ps <= settings.sampling_ps:
        raise InputError(
            f"sample_interval_ps ({settings.sample_interval_ps:g}), frame_interval_ps ({settings.frame_interval_ps:g})"
            f" and sampling_ps ({settings.sampling_ps:g}) must not decrease in this order."
        )
    if settings.sample_interval_ps < settings.timestep_fs / 1000:
        raise InputError(
            f"sample_interval_ps is {settings.sample_interval_ps:g}, shorter than the time step of"
            f" {settings.timestep_fs:g} fs."
        )
    check_precision(settings.precision, settings.ensemble)
    check_timestep(settings.timestep_fs, settings.hydrogen_mass_amu, force_field)


def check_samples(settings: RunSettings) -> None:
    """Raise InputError for a run too short for means with errors, or with absurdly many samples."""
    sampled = settings.total_samples - settings.equilibration_samples
    if sampled < FEWEST_SAMPLES:
        raise InputError(
            f"sampling_ps is {settings.sampling_ps:g}, which is {sampled} samples; for means with errors at least"
            f" {FEWEST_SAMPLES} are needed, {FEWEST_SAMPLES * settings.sample_interval_ps:g} ps."
        )
    if settings.total_samples > _MOST_SAMPLES:
        raise InputError(
            f"equilibration_ps and sampling_ps are {settings.equilibration_ps + settings.sampling_ps:g} together, which"
            f" are {settings.total_samples:,} samples; at most {_MOST_SAMPLES:,}. Run for a shorter time, or raise"
            " dynamics.protocol.sample_interval_ps."
        )


def longest_timestep_fs(hydrogen_mass_amu: float | None, force_field: ForceField) -> float:
    """Return the longest time step that a run may have."""
    light, heavy = _LONGEST_FS[force_field.constraints]
    return heavy if hydrogen_mass_amu is not None and hydrogen_mass_amu >= 3 else light


def check_timestep(timestep_fs: float, hydrogen_mass_amu: float | None, force_field: ForceField) -> None:
    """Raise InputError for a time step that the fastest motion under a force field does not allow."""
    longest, heavy = longest_timestep_fs(hydrogen_mass_amu, force_field), longest_timestep_fs(3.0, force_field)
    if timestep_fs <= longest:
        return
    hint = "" if longest == heavy else f"; up to {heavy:g} fs with hydrogen_mass_amu: 3"
    rigid = {"none": "flexible bonds", "h_bonds": "rigid bonds to hydrogen", "all_bonds": "rigid bonds"}
    raise InputError(
        f"timestep_fs is {timestep_fs:g}; {force_field.name} ({rigid[force_field.constraints]}) allows at most"
        f" {longest:g} fs{hint}."
    )
