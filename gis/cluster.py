"""A private PostgreSQL + PostGIS cluster, made and run from the system's own binaries.

The default where no `CITYGRID_DATABASE_URL` is given: nothing to configure, nothing shared with other
programs, reachable only through a Unix socket by the account that runs it. Started as root it drops to an
unprivileged account, because PostgreSQL refuses to run as root.

Crash-safe by construction: a cluster gets its final name only when it is complete, starts and stops are
serialised by a file lock, and a pid left by a killed server is told from a live one by its working directory.
Durability is PostgreSQL's default (fsync, synchronous commit): what was answered with success is on disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import glob
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gis.errors import Unavailable
from gis.settings import Settings

ADMIN = "citygrid_admin"
DATABASE = "citygrid"
PORT = 5432

_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib64/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
)

TUNING = {
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "120",
    "jit": "off",
}
"""Modest settings for one city on one machine. JIT costs more than it gives on short map queries."""


def cluster_error(en: str, zh: str, remedy_en: str = "", remedy_zh: str = "") -> Unavailable:
    return Unavailable(en=en, zh=zh, remedy_en=remedy_en, remedy_zh=remedy_zh)


def binary_folders() -> Iterator[str]:
    """Places that may hold a server, newest major version first."""
    if chosen := os.environ.get("CITYGRID_PG_BINDIR"):
        yield chosen
        return
    found = [folder for place in _PLACES for folder in glob.glob(place)]
    yield from sorted(found, key=lambda f: [int(n) for n in re.findall(r"\d+", f)][:1] or [0], reverse=True)
    if server := shutil.which("postgres"):
        yield os.path.dirname(os.path.realpath(server))


def major_version(folder: str, program: str = "postgres") -> int:
    """The major version of a program in a folder; 0 when it cannot be told."""
    output = subprocess.run([f"{folder}/{program}", "--version"], capture_output=True, text=True).stdout
    match = re.search(r"\d+", output)
    return int(match.group()) if match else 0


def _has_postgis(folder: str) -> bool:
    config = f"{folder}/pg_config"
    if os.access(config, os.X_OK):
        shared = subprocess.run([config, "--sharedir"], capture_output=True, text=True).stdout.strip()
    else:
        shared = f"/usr/share/postgresql/{major_version(folder)}"
    return os.path.exists(f"{shared}/extension/postgis.control")


def find_binaries(data: Path | None = None) -> str:
    """The folder of a server with PostGIS, of the major version `data` was made with if it exists.

    Raises Unavailable naming every folder looked at and what is missing there.
    """
    wanted = None
    if data is not None and (data / "PG_VERSION").exists():
        wanted = int((data / "PG_VERSION").read_text())
    reasons = []
    for folder in binary_folders():
        if not all(os.access(f"{folder}/{name}", os.X_OK) for name in ("postgres", "initdb", "pg_ctl")):
            reasons.append(f"{folder}: no server programs")
        elif wanted and major_version(folder) != wanted:
            reasons.append(f"{folder}: version {major_version(folder)}, this cluster needs {wanted}")
        elif not _has_postgis(folder):
            reasons.append(f"{folder}: no PostGIS")
        else:
            return folder
    looked = "; ".join(reasons) or "nothing found"
    raise cluster_error(
        f"No PostgreSQL server with PostGIS was found ({looked}).",
        f"没有找到带 PostGIS 的 PostgreSQL（{looked}）。",
        "Install it: sudo apt-get install postgresql postgresql-postgis  (macOS: brew install postgis)",
        "请安装：sudo apt-get install postgresql postgresql-postgis（macOS：brew install postgis）",
    )


class PrivateCluster:
    """One cluster in one folder. `ensure` makes and starts it, `stop` stops it; both may be called again."""

    def __init__(self, root: Path, *, run_as: str = "postgres", tuning: dict[str, str] | None = None) -> None:
        self.root = root.absolute()
        self.data = self.root / "data"
        self.tuning = TUNING if tuning is None else tuning
        self.account = _account(run_as)
        self.socket_folder = self._socket_folder()

    def ensure(self) -> None:
        """Make the cluster if there is none, start it if it is down. Safe from several processes at once."""
        with self._lock():
            self._check_reachable()
            self._make_folder(self.socket_folder)
            binaries = find_binaries(self.data)
            if not (self.data / "PG_VERSION").exists():
                self._create(binaries)
            if not self.running():
                self._start(binaries)

    def stop(self) -> bool:
        """Stop cleanly, ending open connections. False when it was not running."""
        with self._lock():
            if not self.running():
                return False
            self._run(
                f"{find_binaries(self.data)}/pg_ctl", "stop", "-D", self.data, "-m", "fast", "-w", "-t", "60"
            )
            return True

    def running(self) -> bool:
        pid = self._recorded_pid()
        return pid is not None and self._is_ours(pid)

    def url(self, database: str = DATABASE) -> str:
        """SQLAlchemy URL of a database of this cluster, through the socket."""
        host = quote(str(self.socket_folder), safe="")
        return f"postgresql+psycopg://{ADMIN}@/{database}?host={host}&port={PORT}"

    def ensure_database(self, name: str = DATABASE) -> None:
        """Create the database when it is not there. Two processes at once: one creates, both succeed."""
        import psycopg

        conninfo = f"host={self.socket_folder} port={PORT} user={ADMIN} dbname=postgres"
        with psycopg.connect(conninfo, autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))

    def _create(self, binaries: str) -> None:
        for half_made in self.root.glob("init-*"):
            shutil.rmtree(half_made, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix="init-", dir=self.root))
        self._make_folder(draft)
        self._run(
            f"{binaries}/initdb", "-D", draft, "-U", ADMIN, "-E", "UTF8", "--locale=C.UTF-8",
            "--auth-local=peer", "--auth-host=reject", "--data-checksums",
        )  # fmt: skip
        (draft / "pg_hba.conf").write_text("local all all peer map=citygrid\n")
        names = sorted({getpass.getuser() if os.geteuid() else "root", self.account.pw_name})
        (draft / "pg_ident.conf").write_text("".join(f"citygrid {name} {ADMIN}\n" for name in names))
        with (draft / "postgresql.conf").open("a") as settings:
            settings.write(f"listen_addresses = ''\nport = {PORT}\nunix_socket_permissions = 0700\n")
            settings.writelines(f"{key} = {value}\n" for key, value in self.tuning.items())
        draft.rename(self.data)  # a half-made cluster never carries the final name

    def _start(self, binaries: str) -> None:
        pid = self._recorded_pid()
        if pid is not None:
            self._wait_for_orphans()
            # PostgreSQL clears the pid of a dead server itself; one that now belongs to another program
            # is ours to clear.
            if _alive(pid):
                (self.data / "postmaster.pid").unlink(missing_ok=True)
        for stale in self.socket_folder.glob(".s.PGSQL.*"):
            stale.unlink(missing_ok=True)
        log = self.data / "postgres.log"
        # Terse: the details of an error quote the row, and rows hold people.
        self._run(
            f"{binaries}/pg_ctl", "start", "-D", self.data, "-w", "-t", "60", "-l", log,
            "-o", f"-k {self.socket_folder} -c listen_addresses='' -c log_error_verbosity=terse", log=log,
        )  # fmt: skip

    def _wait_for_orphans(self, seconds: float = 10.0) -> None:
        """Backends of a killed server hold its memory for a moment; no new one may start beside them."""
        deadline = time.monotonic() + seconds
        while orphans := self._orphans():
            if time.monotonic() > deadline:
                raise cluster_error(
                    f"Server processes {orphans} still use {self.data}.",
                    f"服务进程 {orphans} 仍在使用 {self.data}。",
                    "End them and start again.",
                    "请结束这些进程后重试。",
                )
            time.sleep(0.1)

    def _orphans(self) -> list[int]:
        found = []
        for folder in glob.glob("/proc/[0-9]*"):
            with contextlib.suppress(OSError):
                if os.path.samefile(f"{folder}/cwd", self.data):
                    found.append(int(folder[6:]))
        return found

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _is_ours(self, pid: int) -> bool:
        """Whether this pid is our server: its working directory is the data folder."""
        if not _alive(pid):
            return False
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", self.data)
        except FileNotFoundError:
            if os.path.isdir("/proc/self"):
                return False
            command = ["ps", "-o", "command=", "-p", str(pid)]  # macOS has no /proc
            output = subprocess.run(command, capture_output=True, text=True).stdout
            return "postgres" in output and str(self.data) in output
        except PermissionError:
            return False

    def _socket_folder(self) -> Path:
        """Beside the data, or a short private folder when the path would not fit in a socket's 104 bytes."""
        folder = self.root / "run"
        if len(os.fsencode(folder)) + len("/.s.PGSQL.5432.lock") <= 100:
            return folder
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"citygrid-{self.account.pw_uid}-{digest}"

    def _make_folder(self, folder: Path, mode: int = 0o700) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        owner = os.lstat(folder).st_uid
        if folder.is_symlink() or not folder.is_dir():
            raise cluster_error(f"{folder} is not a plain folder.", f"{folder} 不是普通目录。")
        if os.geteuid() == 0:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        elif owner != os.geteuid():
            raise cluster_error(f"{folder} belongs to another account.", f"{folder} 属于其他账户。")
        folder.chmod(mode)

    def _check_reachable(self) -> None:
        """As root: the account we drop to must be able to walk to the folder (it cannot below /root)."""
        if os.geteuid() == 0 and self._attempt("test", "-x", self.root).returncode:
            raise cluster_error(
                f"The account {self.account.pw_name} cannot reach {self.root}.",
                f"账户 {self.account.pw_name} 无法进入 {self.root}。",
                "Set CITYGRID_HOME to a folder outside private homes, for example /var/lib/citygrid.",
                "请把 CITYGRID_HOME 设到私人目录之外，例如 /var/lib/citygrid。",
            )

    @contextlib.contextmanager
    def _lock(self, seconds: float = 90.0) -> Iterator[None]:
        self._make_folder(self.root, 0o711)
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + seconds
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise cluster_error(
                            "Another start or stop of the database is taking too long.",
                            "另一次数据库启停迟迟没有结束。",
                        ) from None
                    time.sleep(0.05)
            yield
        finally:
            os.close(handle)

    def _attempt(self, *command: object) -> subprocess.CompletedProcess[str]:
        """Run as the cluster's account, with none of the caller's PG* variables leaking in."""
        dropped: dict[str, Any] = {}
        if os.geteuid() == 0:
            dropped = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LC_ALL": "C",
            "HOME": "/",
            "TZ": "UTC",
        }
        return subprocess.run(
            [str(word) for word in command], cwd="/", env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, start_new_session=True, umask=0o077, **dropped,
        )  # fmt: skip

    def _run(self, *command: object, log: Path | None = None) -> None:
        done = self._attempt(*command)
        if done.returncode == 0:
            return
        tail = done.stderr[-800:]
        if log is not None and log.exists():
            tail += log.read_text(errors="replace")[-800:]
        name = Path(str(command[0])).name
        raise cluster_error(f"{name} failed: {tail}", f"{name} 失败：{tail}")


def _account(run_as: str) -> pwd.struct_passwd:
    """The account the server runs as: ours, or an unprivileged one when we are root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in (run_as, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise cluster_error(
        "Running as root, and there is no account to drop to.", "以 root 运行且没有可降权的账户。"
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def private_cluster(settings: Settings) -> PrivateCluster:
    """The cluster that belongs to these settings: `home`/cluster."""
    return PrivateCluster(settings.home / "cluster")


def database_url(settings: Settings, name: str = DATABASE) -> str:
    """The configured URL, or that of the private cluster, started and with its database made."""
    if settings.database_url:
        return settings.database_url
    cluster = private_cluster(settings)
    cluster.ensure()
    cluster.ensure_database(name)
    return cluster.url(name)
