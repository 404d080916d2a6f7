"""Dry runs in processes that begin with Snakemake loaded, whose import takes longer than a small plan.

Run as a program, this reads one request a line and answers with the exit code; moxie is imported by each run itself.
"""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

READY = "ready\n"


def dry_run(arguments: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Return exit code and output of `snakemake --dry-run` with these arguments in a folder."""
    server = _server(frozenset(environment.items()))
    printed = folder / "dry_run.txt"
    request = {"arguments": ["--dry-run", *arguments], "folder": str(folder), "printed": str(printed)}
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    code = int(server.stdout.readline())
    text = printed.read_text()
    printed.unlink()
    return code, text


@cache
def _server(environment: frozenset[tuple[str, str]]) -> subprocess.Popen:
    """Start the server, which ends when its input does, with this process."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = subprocess.Popen([sys.executable, __file__], text=True, env=dict(environment), **pipes)
    while server.stdout.readline() != READY:
        assert server.poll() is None, "no Snakemake to fork"
    return server


def serve() -> None:
    """Answer requests, each in a process forked from this one."""
    from snakemake.cli import main

    try:
        main(["--version"])  # imports the plugins too
    except SystemExit:
        pass
    sys.stdout.write(READY)
    sys.stdout.flush()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            output = os.open(request["printed"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.chdir(request["folder"])
            main(request["arguments"])
            sys.exit()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
