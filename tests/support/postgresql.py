"""A PostgreSQL cluster of the tests' own on loopback, and databases in it.

One cluster for each process that runs tests. A database is copied from one whose tables were made once, and emptied
for the next test: to copy one takes twenty times as long.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
import pytest

from mailgun_mcp.store.opening import open_store

PATIENCE = 60
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "log_min_messages": "fatal",
}
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests that lose nothing with a power cut."""
numbers = count(1)
SHAPE = """
SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
  SELECT concat_ws('.', relname, relkind, relacl, relrowsecurity, reloptions)
  FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws('.', attrelid::regclass, attname, atttypid, attnotnull, attisdropped)
  FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws('.', tgname, tgrelid::regclass, tgenabled) FROM pg_trigger
  UNION ALL SELECT concat_ws('.', proname, md5(prosrc)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws('.', conname, conrelid::regclass) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws('.', setrole, setconfig)
  FROM pg_db_role_setting JOIN pg_database ON setdatabase = pg_database.oid WHERE datname = current_database()
) AS lines (line)
"""
"""All of a database but its rows, as one value."""
OTHERS_END = """
SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
"""Waits until they have ended: a statement that was being made could still commit."""
SEQUENCES_START_AGAIN = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"


@dataclass
class Contents:
    """What a database that nobody has used holds."""

    shape: str
    rows: dict[str, list[tuple[Any, ...]]]
    """Of each table."""

    @classmethod
    def of(cls, connection: "psycopg.Connection[tuple[Any, ...]]") -> "Contents":
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        return cls(shape_of(connection), {name: connection.execute(f"TABLE {name}").fetchall() for (name,) in tables})

    def restore(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        """Make the rows what they were. The triggers that keep the audit log whole are left out."""
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("; ".join(f"DELETE FROM {name}" for name in self.rows))
            connection.execute(SEQUENCES_START_AGAIN)
            for name, rows in self.rows.items():
                for row in rows:
                    connection.execute(f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(row))})", row)


def shape_of(connection: "psycopg.Connection[tuple[Any, ...]]") -> str:
    row = connection.execute(SHAPE).fetchone()
    assert row is not None
    return str(row[0])


def programs() -> Path | None:
    """Return the directory with `initdb` and `postgres`: Debian does not put them on the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


def user() -> dict[str, Any]:
    """Return how to start a process as another user where this is root's: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise AssertionError("no user to run PostgreSQL as")


@dataclass
class Cluster:
    """A running PostgreSQL."""

    directory: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    options: list[str] = field(default_factory=list)
    _spare: list[str] = field(default_factory=list)
    """Databases that were taken back."""

    def url(self, database: str) -> str:
        return f"postgresql://tests:secret@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        bin_directory = programs()
        assert bin_directory is not None
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(bin_directory / "postgres"),
                    "-D",
                    str(self.directory / "data"),
                    "-p",
                    str(self.port),
                    *self.options,
                ],
                stdout=log,
                stderr=log,
                **user(),
            )
        self.wait()

    def wait(self) -> None:
        """Wait until it accepts connections."""
        program = programs()
        assert program is not None
        for _ in range(PATIENCE * 20):
            done = subprocess.run(
                [str(program / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"], check=False
            )
            if done.returncode == 0:
                return
            assert self.process is not None
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
                raise AssertionError((self.directory / "log").read_text(encoding="utf-8"))
        raise AssertionError("PostgreSQL does not start")

    def stop(self, signal_number: int) -> None:
        if self.process is not None:
            self.process.send_signal(signal_number)
            self.process.wait(PATIENCE)

    def execute(self, sql: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(sql)

    def new_database(self) -> str:
        """Make an empty database, and return its URL."""
        name = f"state{next(numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        self.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    @cache  # noqa: B019 - one cluster for each process
    def _prepared(self) -> str:
        url = self.new_database()
        store = open_store(self.directory / "template", url)
        with store.reading() as connection:
            connection.execute("SELECT 1")
        store.close()
        return url.rpartition("/")[2]

    def prepared_database(self) -> str:
        """Make a database that has its tables, and return its URL."""
        name = f"state{next(numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self._prepared()}")
        return self.url(name)

    @cache  # noqa: B019 - one cluster for each process
    def _contents(self) -> Contents:
        with psycopg.connect(self.url(self._prepared()), autocommit=True) as connection:
            return Contents.of(connection)

    def lend(self) -> str:
        """Return the URL of a database that has its tables, and that nobody has used."""
        return self._spare.pop() if self._spare else self.prepared_database()

    def take_back(self, url: str) -> None:
        """Empty a database for the next test, or drop it where more than its rows has changed."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(OTHERS_END)
            same = shape_of(connection) == self._contents().shape
            if same:
                self._contents().restore(connection)
        if same:
            self._spare.append(url)
        else:
            self.drop(url)

    def __hash__(self) -> int:
        return id(self)


@contextmanager
def cluster(*, safe: bool = False, **settings: str) -> Iterator[Cluster]:
    """Run a PostgreSQL of its own. A `safe` one waits for the disk as it would at work."""
    program = programs()
    if program is None:
        pytest.skip("PostgreSQL is not installed")
    directory = Path(mkdtemp(prefix="mailgun-mcp-postgresql-"))
    try:
        owner = user()
        if owner:
            os.chown(directory, owner["user"], owner["group"])
        password = directory / "password"
        password.write_text("secret", encoding="ascii")
        subprocess.run(
            [
                *(str(program / "initdb"), "-D", str(directory / "data"), "-U", "tests", "--pwfile", str(password)),
                *("-A", "scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            **owner,
        )
        values = {**SETTINGS, **({} if safe else UNSAFE), **settings}
        running = Cluster(
            directory,
            _free_port(),
            options=[word for name, value in values.items() for word in ("-c", f"{name}={value}")],
        )
        running.start()
        try:
            yield running
        finally:
            if running.process is not None and running.process.poll() is None:
                # At once: nobody needs what it holds.
                running.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
