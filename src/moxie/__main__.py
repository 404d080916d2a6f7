"""What can be done from the command line: python -m moxie --help."""

import sys

from moxie.commands import main

if __name__ == "__main__":
    sys.exit(main())
