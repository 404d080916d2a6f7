"""Child processes that tests kill without warning."""

import signal
import subprocess
import sys
import time


def kill_once(ready, code, limit_s, wait_s=0.01):
    """Run code in a child process and kill it once `ready()` is true; it must not end by itself, nor take limit_s."""
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    try:
        limit = time.monotonic() + limit_s
        while not ready():
            assert child.poll() is None, child.stderr.read().decode()
            assert time.monotonic() < limit
            time.sleep(wait_s)
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
