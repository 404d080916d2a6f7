"""Run Snakemake with the given arguments, as `snakemake` itself does; Ctrl-C before its first job ends in one line."""

import sys

from snakemake.cli import main

if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("Stopped.")
