"""The commands of `python -m moxie`: one module each, found by itself.

A module holds HELP (one line), `add_arguments(parser)` and `run(arguments)`, which returns the exit status.
"""

import argparse
import importlib
import pkgutil
import sys

from moxie.errors import InputError

WRONG_INPUT = 2  # the exit status after an InputError, as after a wrong argument


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns its exit status, or 2 after an error of one line.

    What stands after `--` is for `snakemake`, where a command has that argument.
    """
    own, beyond = _split_at_dashes(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m moxie", description="Studies of materials and molecules.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        module = importlib.import_module(f"{__name__}.{name}")
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    given = parser.parse_args(own)
    if beyond and not hasattr(given, "snakemake"):
        parser.error(f"{given.command} takes nothing after --, and there is {' '.join(beyond)}")
    if beyond:
        given.snakemake = [*given.snakemake, *beyond]
    try:
        return given.run(given)
    except InputError as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT


def _split_at_dashes(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands before and after the first `--`; argparse takes what follows it only right after `folder`."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]
