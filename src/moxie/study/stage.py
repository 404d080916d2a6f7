"""What every stage adds to a study: checks, the user's own files, and the parts that figures and learning ask for."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from moxie.errors import InputError


class Stage:
    """One stage of a study. `name` is that of its rules, of its target and of its folder below results/."""

    name: ClassVar[str]

    def checks(self) -> Iterable[Callable[[], None]]:
        """Return what must hold before any job, each raising InputError with all that it finds."""
        return ()

    def parts(self) -> Iterable[str]:
        """Return the parts that this stage gives the study; figures and learning tasks name those they need."""
        return ()

    def own_files(self) -> Iterable[str]:
        """Return the user's own files that this stage reads."""
        return ()

    def wildcards(self) -> dict[str, list[str]]:
        """Return {pattern: the texts that it stands for} for wildcards of files that no target names by themselves."""
        return {}

    def figure_labels(self) -> dict[str, str]:
        """Return what stands for the names in braces in the paths of figures' inputs."""
        return {}


def raise_together(problems: Iterable[str]) -> None:
    """Raise one InputError for all problems, each said once; none, and nothing happens."""
    distinct = list(dict.fromkeys(problems))
    if distinct:
        raise InputError("\n  ".join(distinct))
