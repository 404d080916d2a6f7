"""What the sections of the configuration share: their base class, and types of values with their validators."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


def label(value: float) -> str:
    """Return the short form of a number that paths and wildcards carry: 298.15, 973, 1."""
    return f"{value:g}"


def distinct_states(values: list[float]) -> list[float]:
    labels = [label(value) for value in values]
    repeated = sorted({text for text in labels if labels.count(text) > 1})
    if repeated:
        raise ValueError(f"the state point {', '.join(repeated)} stands there more than once; name each one once")
    long = [repr(value) for value in values if float(label(value)) != value]
    if long:
        raise ValueError(f"{', '.join(long)} has more than the six digits that names of files carry; round it")
    return values


def distinct(values: list[str]) -> list[str]:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} stands there more than once; name each one once")
    return values


@dataclass(frozen=True)
class Usual:
    """A limit by sense on a number or a list of them: what lies beyond is a slip unless `confirm` names the key.

    `slip` says what a number beyond would be in the unit that it was probably written in.
    """

    low: float
    high: float
    reason: str
    slip: Callable[[float], str]

    def beyond(self, value: Any) -> list[float]:
        """Return the numbers of a value that are not usual."""
        numbers = value if isinstance(value, list) else [value]
        return [number for number in numbers if number is not None and not self.low <= number <= self.high]


LONGEST_INTERVAL_S = 1e7  # four months
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]  # a part of paths


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_yes_as_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse yes and no where they are not meant: pydantic takes them for the numbers 1 and 0."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        if mentions(annotation, bool) or mentions(annotation, Any):
            return value
        keys = (
            [f"{key}: " for key, each in value.items() if isinstance(each, bool)] if isinstance(value, Mapping) else []
        )
        inside = value if isinstance(value, list) else [value]
        if keys or any(isinstance(each, bool) for each in inside):
            quoted = "; text that YAML takes for them (NO, on, yes) needs quotes" if mentions(annotation, str) else ""
            where = f"{', '.join(key + str(value[key[:-2]]).lower() for key in keys)}: " if keys else ""
            raise ValueError(f"{where}yes, no, true and false do not belong here{quoted}")
        return value


def mentions(annotation: Any, kind: type) -> bool:
    """Return whether a type is another one or has it among its arguments."""
    return annotation is kind or any(mentions(argument, kind) for argument in get_args(annotation))


def section_of(annotation: Any) -> type[Section] | None:
    """Return the section type of a field, also of a mapping from names to sections."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, Section):
            return argument
    return None
