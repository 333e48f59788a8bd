"""What keeps the accounts of a SLURM cluster: slurmdbd, and a database of its own below it."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("slurmdbd", "mariadbd", "mariadb-install-db", "mariadb", "sacct", "sacctmgr")

SLURM_CONF = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge/socket
"""

_SLURMDBD_CONF = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
"""

_SQL = """
create user slurm@'127.0.0.1' identified by 'slurm';
grant all on *.* to slurm@'127.0.0.1';
create database slurm;
"""


def missing(path: str) -> str:
    """Why there can be no accounts here; empty where there can."""
    programs = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    return f"no {', '.join(programs)} (Debian: slurmdbd mariadb-server)" if programs else ""


def configure(folder: Path, host: str, port: int, sql: int) -> None:
    """Write slurmdbd's configuration beside SLURM's, where it looks for it."""
    conf = folder / "slurmdbd.conf"
    conf.write_text(_SLURMDBD_CONF.format(folder=folder, host=host, port=port, sql=sql))
    conf.chmod(0o600)


@contextmanager
def database(folder: Path, port: int, path: str) -> Iterator[None]:
    """A database server for a while, with room for the accounts."""
    folder.mkdir()
    data, place, environment = folder / "data", folder / "socket", {"PATH": path}
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root", "--skip-test-db"]
    log = (folder / "log").open("ab")
    subprocess.run(
        [*install, "--auth-root-authentication-method=normal"], env=environment, stdout=log, check=True
    )
    words = ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", "--bind-address=127.0.0.1"]
    server = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", *words, f"--port={port}", f"--socket={place}"],
        env=environment,
        stdout=log,
        stderr=log,
    )
    try:
        client = ["mariadb", "--no-defaults", f"--socket={place}", "--user=root"]
        end = time.monotonic() + 60
        while subprocess.run([*client, "-e", ""], env=environment, check=False, stderr=log).returncode:
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.2)
        subprocess.run(client, env=environment, input=_SQL, text=True, check=True)
        yield
    finally:
        server.terminate()
        server.wait()
        log.close()
