"""Run Snakemake with the given arguments, as `snakemake` itself does.

Files of configuration are looked at first: Snakemake reads them before it reads the Snakefile, and ends with a
traceback on some. Ctrl-C before the first job ends in one line.
"""

import re
import sys
from pathlib import Path

from snakemake.cli import args_to_api, parse_args
from snakemake.exceptions import print_exception

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from moxie.config import check_file
from moxie.errors import InputError
from moxie.targets import check_configfiles


def run(arguments: list[str]) -> bool:
    """Return whether all went well; raises InputError for a file that is no configuration."""
    named = [word for word in arguments if re.match(r"--configfiles?(=|$)", word)]
    if len(named) > 1:
        raise InputError(
            f"{named[0]} is given {len(named)} times, and Snakemake would use the last only. Name all files after one:"
            " --configfile FIRST SECOND; what stands later is laid over what stands before."
        )
    parser, chosen = parse_args(arguments)
    check_configfiles(chosen.configfile or ())
    for file in chosen.configfile or ():
        check_file(file)
    return bool(args_to_api(chosen, parser))


if __name__ == "__main__":
    try:
        sys.exit(0 if run(sys.argv[1:]) else 1)
    except InputError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped.")
    except Exception as error:
        print_exception(error)
        sys.exit(1)
