"""A real SLURM of two nodes in a folder of its own, all on this machine: munged, slurmctld, two slurmd."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.faults import accounts

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "setpriv")

_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,batch_sched_delay=0,sched_min_interval=100000
SlurmdTimeout=6
KillWait=20
ReturnToService=2
MpiDefault=none
MinJobAge={remembers}
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobcomp.txt
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first} CPUs=1
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={second} CPUs=1
PartitionName=main Nodes=n1,n2 Default=YES PriorityTier=1 MaxTime=1-0 State=UP
PartitionName=urgent Nodes=n1,n2 PriorityTier=10 MaxTime=1-0 State=UP
{more}
"""


def missing() -> str:
    """Why there can be no cluster here; empty where there can."""
    programs = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if programs:
        return f"no {', '.join(programs)} (Debian: slurmctld slurmd slurm-client munge)"
    return "" if os.geteuid() == 0 else "slurmd runs as root"


class Cluster:
    """It runs; `stop` ends what of it still does.

    Args:
        folder: for everything it writes.
        accounted: it keeps accounts, which `sacct` reads.
        remembers: seconds after which its controller may forget jobs that have ended.
    """

    def __init__(self, folder: Path, *, accounted: bool = False, remembers: int = 300) -> None:
        self.folder = folder
        self._accounted, self._remembers = accounted, remembers
        self._held = ExitStack()
        self._programs: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("SLURM_", "CTEXP_"))},
            "PATH": _path(),
            "SLURM_CONF": str(folder / "slurm.conf"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }

    def start(self) -> None:
        """Bring it up, and wait until both nodes can be used."""
        munge = self.folder / "munge"
        for name in ("munge", "state", "spool-n1", "spool-n2"):
            (self.folder / name).mkdir(parents=True)
        munge.chmod(0o700)
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        files = {
            "socket": "socket",
            "key-file": "key",
            "pid-file": "pid",
            "log-file": "log",
            "seed-file": "seed",
        }
        self._serve(
            "munged", "--foreground", "--force", *(f"--{flag}={munge / name}" for flag, name in files.items())
        )
        wait_until((munge / "socket").exists, 30)
        port, first, second, dbd, sql = _free_ports(5)
        host = socket.gethostname().partition(".")[0]
        more = accounts.SLURM_CONF.format(folder=self.folder, port=dbd) if self._accounted else ""
        conf = _CONF.format(
            host=host,
            folder=self.folder,
            port=port,
            first=first,
            second=second,
            remembers=self._remembers,
            more=more,
        )
        (self.folder / "slurm.conf").write_text(conf)
        if self._accounted:
            self._held.enter_context(accounts.database(self.folder / "accounts", sql, _path()))
            accounts.configure(self.folder, host, dbd, sql)
            self._serve("slurmdbd", "-D")
            wait_until(
                lambda: self.call("sacctmgr", "--immediate", "add", "cluster", "test", check=False), 60
            )
        self._serve("slurmctld", "-D")
        for node in ("n1", "n2"):
            self.start_slurmd(node)
        wait_until(
            lambda: (
                self.call("sinfo", "-hN", "-p", "main", "-o", "%T", check=False).split() == ["idle", "idle"]
            ),
            60,
        )

    def start_slurmd(self, node: str) -> None:
        """Have a node take part."""
        self._serve("slurmd", "-D", "-N", node)

    def stop(self) -> None:
        """End all jobs, then all programs."""
        self.call("scancel", "--user=root", "--full", check=False)
        wait_until(lambda: not self.call("squeue", "-h", check=False), 30, otherwise=None)
        for program in reversed(self._programs):
            program.terminate()
        for program in self._programs:
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self._held.close()

    def _serve(self, *words: str) -> None:
        """A program that goes on; it ends with this process, however that ends."""
        with (self.folder / "programs.log").open("ab") as log:
            command = ["setpriv", "--pdeathsig", "TERM", *words]
            self._programs.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def call(self, *words: str, check: bool = True, cwd: Path | None = None) -> str:
        """What a program says."""
        done = subprocess.run(
            words, env=self.environment, cwd=cwd, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0 or not check, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def submit(self, project: Path, script: str, *words: str) -> str:
        """The id of the array."""
        flags = [word for word in words if word.startswith("--")]
        return self.call("sbatch", "--parsable", *flags, script, cwd=project)

    def wait_for(self, array: str, seconds: float) -> None:
        """Wait until nothing of an array is left."""
        wait_until(lambda: not self.call("squeue", "-h", "-j", array, check=False), seconds)

    def node_of(self, task: str) -> str:
        """Where a task (`7_1`) runs."""
        return self.call("squeue", "-h", "-j", task, "-o", "%N")

    def kill_slurmd(self, node: str) -> None:
        """Kill the daemon of a node; what it has started goes on."""
        os.kill(int((self.folder / f"slurmd-{node}.pid").read_text()), 9)

    def kill_node(self, node: str) -> None:
        """Have a node die: its daemon, its steps and all they have started, at one blow."""
        self.kill_slurmd(node)
        steps = [one for one in psutil.process_iter() if self._is_step(one, node)]
        # Stopped first: nobody may hear of another's death, and save what it has.
        dying: list[psutil.Process] = []
        while new := [
            one for step in steps for one in (step, *step.children(recursive=True)) if one not in dying
        ]:
            for one in new:
                one.suspend()
            dying += new
        for one in dying:
            one.kill()

    def _is_step(self, process: psutil.Process, node: str) -> bool:
        try:
            return "slurmstepd" in process.name() and any(
                child.environ().get("SLURMD_NODENAME") == node
                and child.environ().get("SLURM_CONF") == self.environment["SLURM_CONF"]
                for child in process.children()
            )
        except psutil.NoSuchProcess:
            return False


@contextmanager
def cluster(folder: Path, *, accounted: bool = False, remembers: int = 300) -> Iterator[Cluster]:
    """A cluster for a while; see `Cluster`."""
    made = Cluster(folder, accounted=accounted, remembers=remembers)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def wait_until(
    true: Callable[[], object], seconds: float, otherwise: str | None = "it has not come true"
) -> None:
    """Wait for something to come true; fail where it does not, unless `otherwise` is None."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            assert otherwise is None, otherwise
            return
        time.sleep(0.2)


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
