"""Run Snakemake with the given arguments, unless another run is at work in this folder.

Snakemake's own lock outlives a process that was killed and then asks for --unlock. This one ends with the process that
holds it. Jobs that such a process left behind hold locks of their own (see moxie.job).
"""

import fcntl
import os
import sys

if __name__ == "__main__":
    lock = os.open(".moxie.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("Another run is at work in this folder. Wait for it or end it, then run again.")
    os.set_inheritable(lock, True)
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", "--nolock", *sys.argv[1:]])
