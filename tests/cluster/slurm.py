"""A real SLURM on this machine, in one folder: controller and nodes on the loopback interface, nothing in /etc."""

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "srun")
_CONFIGURATION = """\
ClusterName=box
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=600
KillWait=2
SlurmdTimeout=10
GresTypes=gpu
"""


def missing() -> str:
    """Say what keeps a SLURM from starting here; nothing if it can."""
    absent = [name for name in DAEMONS if not shutil.which(name, path=_path())]
    if absent:
        return f"{', '.join(absent)} not found; on Debian: apt-get install slurmctld slurmd slurm-client munge"
    return "" if os.geteuid() == 0 else "only root can start the daemons of a SLURM"


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


@dataclass(frozen=True)
class Node:
    """A node of the cluster; its card, if it has one, is a pretence."""

    name: str
    cpus: int
    memory_MB: int
    has_gpu: bool = False


# Smaller than six jobs at once, and with room for one that asks for more at its third attempt.
NODES = (Node("n1", 1, 6500), Node("n2", 1, 6500), Node("g1", 1, 6500, has_gpu=True))


class Slurm:
    """Start it, ask it, hurt it, stop it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{folder / 'bin'}:{_path()}"}

    def start(self) -> None:
        """Start munge, the controller and the nodes, and wait until all are idle."""
        folder, host = self.folder, socket.gethostname().split(".")[0]
        for name in ("state", "bin"):
            (folder / name).mkdir(parents=True)
        folder.chmod(0o755)
        ports = _free_ports(1 + len(NODES))
        text = _CONFIGURATION.format(host=host, folder=folder, port=ports[0])
        for node, port in zip(NODES, ports[1:], strict=True):
            gpu = " Gres=gpu:a100:1" if node.has_gpu else ""
            text += f"NodeName={node.name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} "
            text += f"CPUs={node.cpus} RealMemory={node.memory_MB}{gpu}\n"
        plain = ",".join(node.name for node in NODES if not node.has_gpu)
        text += f"PartitionName=batch Nodes={plain} Default=YES MaxTime=7-0 State=UP\n"
        text += "PartitionName=gpu Nodes=g1 MaxTime=7-0 State=UP\n"
        (folder / "slurm.conf").write_text(text)
        (folder / "gres.conf").write_text("NodeName=g1 Name=gpu Type=a100 File=/dev/null\n")  # the pretended card
        srun = folder / "bin" / "srun"  # the plugin takes SLURM_CONF away from the srun within a job
        srun.write_text(f'#!/bin/sh\nexport SLURM_CONF={folder}/slurm.conf\nexec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        (folder / "munge.key").write_bytes(os.urandom(1024))
        (folder / "munge.key").chmod(0o400)
        files = {"socket": "munge.sock", "pid-file": "munged.pid", "log-file": "munged.log", "seed-file": "munge.seed"}
        options = [f"--{name}={folder / file}" for name, file in {"key-file": "munge.key", **files}.items()]
        self._run("munged", "--force", "--num-threads=2", *options)
        self.start_controller()
        for node in NODES:
            self.start_node(node.name)
        self.wait_until(lambda: set(self.ask("sinfo", "-h", "-N", "-o", "%T").split()) == {"idle"}, "idle nodes")

    def stop(self) -> None:
        """Stop all of it, jobs first."""
        if self._process("slurmctld"):
            self._run("scancel", "--user=root", check=False)
            self.wait_until(lambda: not self.jobs("running,completing"), "the end of all jobs", patience_s=30)
        for name in (*(f"slurmd.{node.name}" for node in NODES), "slurmctld", "munged"):
            process = self._process(name)
            if process:
                process.kill()
        for process in psutil.process_iter():  # what a suspended child has kept SLURM from ending
            try:
                if process.environ().get("SLURM_CONF") == self.environment["SLURM_CONF"]:
                    process.kill()
            except psutil.Error:
                continue

    def start_controller(self) -> None:
        """Start the controller."""
        self._run("slurmctld")

    def stop_controller(self) -> None:
        """End the controller, as for its maintenance; jobs go on."""
        process = self._process("slurmctld")
        assert process
        process.terminate()
        process.wait(30)

    def start_node(self, name: str) -> None:
        """Start the daemon of a node."""
        self._run("slurmd", "-N", name)

    def lose_node(self, name: str) -> None:
        """Kill the daemon of a node and all that it runs, as when its power fails."""
        daemon = self._process(f"slurmd.{name}")
        assert daemon
        jobs = self.ask("squeue", "-h", "-w", name, "-o", "%i").split()
        steps = [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(f"slurmstepd: [{job}." in " ".join(process.info["cmdline"] or []) for job in jobs)
        ]
        for process in (daemon, *steps, *(child for step in steps for child in step.children(recursive=True))):
            if process.is_running():
                process.send_signal(signal.SIGKILL)

    def ask(self, *command: str) -> str:
        """Return what a client prints."""
        return self._run(*command).stdout

    def jobs(self, state: str = "all") -> list[int]:
        """Return the numbers of the jobs in a state, in their order."""
        return sorted(map(int, self.ask("squeue", "-h", "-a", "-t", state, "-o", "%i").split()))

    def job(self, number: int) -> dict[str, str]:
        """Return the fields of a job."""
        text = self.ask("scontrol", "-o", "show", "job", str(number))
        return dict(field.split("=", 1) for field in text.split() if "=" in field)

    def wait_until(self, condition, what: str, patience_s: float = 600.0):
        """Return what a condition gives as soon as this is true."""
        deadline = time.monotonic() + patience_s
        while not (result := condition()):
            assert time.monotonic() < deadline, f"waited in vain for {what}\n" + self.ask("squeue", "-a", "-t", "all")
            time.sleep(0.2)
        return result

    def _run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess:
        environment = os.environ | self.environment
        program = shutil.which(command[0], path=environment["PATH"])
        assert program, command[0]
        done = subprocess.run([program, *command[1:]], env=environment, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def _process(self, name: str) -> psutil.Process | None:
        try:
            return psutil.Process(int((self.folder / f"{name}.pid").read_text()))
        except (OSError, ValueError, psutil.NoSuchProcess):
            return None


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
