"""What the sections of the configuration share: their base class, and types of values with their validators."""

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field


def label(value: float) -> str:
    """Return the short form of a number that paths and wildcards carry: 298.15, 973, 1."""
    return f"{value:g}"


def distinct_states(values: list[float]) -> list[float]:
    labels = [label(value) for value in values]
    repeated = sorted({text for text in labels if labels.count(text) > 1})
    if repeated:
        raise ValueError(f"the state point {', '.join(repeated)} stands there more than once; name each one once")
    return values


def distinct(values: list[str]) -> list[str]:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} stands there more than once; name each one once")
    return values


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


def section_of(annotation: Any) -> type[Section] | None:
    """Return the section type of a field, also of a mapping from names to sections."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, Section):
            return argument
    return None
