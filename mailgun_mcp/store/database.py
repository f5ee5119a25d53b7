"""The state store: one SQLite file for all processes of a user, or PostgreSQL (`postgresql.py`). Opened at first use.

Methods block as long as access to a small file takes, and take the current time as an argument. A store that cannot
be used raises StateError: the call that needed it is not made.
"""

import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EACCES
from pathlib import Path
from secrets import token_hex
from threading import Event, RLock
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from mailgun_mcp.errors import StateError
from mailgun_mcp.store.connection import Connection, Sealer
from mailgun_mcp.store.migrations import MIGRATIONS, Each

if TYPE_CHECKING:
    import sqlite3


FILE = "state.db"
BUSY_SECONDS = 5.0
CACHE = 512
"""Kilobytes of pages that each connection keeps. With SQLite's default of 2,000, it is not faster: the system caches them too."""
MONTHS = 400 * 86_400
"""How long finished records are kept, in seconds."""
DAMAGED = f"{FILE} is damaged: move it away ({FILE}-wal and {FILE}-shm too) to start over with an empty one"
HINTS = {
    "SQLITE_BUSY": f"another process has locked {FILE} for more than {BUSY_SECONDS:.0f} seconds; try again",
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": f"{FILE} cannot be written",
}
"""Name of an SQLite error -> its message. Other errors are reported in SQLite's own words."""
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Store:
    """The state in `directory`. If that is missing, it is created for its owner alone.

    Threads of one process share the store, and use it one at a time.
    """

    sealer: Sealer | None = None
    """Encrypts secrets that replicas share through the database; None if they are in files beside it."""
    retries: int = 0
    """How often to write again what was lost together with a connection."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        """Device and inode of the file that the connection has open."""
        self._durable: bool | None = None
        """Whether the connection currently waits for the disk at each commit."""
        self._lock = RLock()
        self._file = directory / FILE
        self._faults = _Faults(self._unusable)

    @property
    def exists(self) -> bool:
        """Whether anything was ever stored here. Determined without opening SQLite."""
        try:
            return self._connection is not None or is_there(self._file)
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    @property
    def connections(self) -> dict[str, int]:
        """Number of connections to a database, by state. Empty for SQLite, which has none."""
        return {}

    def reopened(self) -> "Store":
        """Return the same state with a separate connection, which nothing else waits for."""
        return Store(self.directory)

    @property
    def name(self) -> str:
        """Where the state is, in a form that may be shown to people."""
        return str(self.directory)

    @property
    def command_directory(self) -> Path | None:
        """The directory that terminal commands pass as `--state`; None if that is not enough to find the state."""
        return self.directory

    def clock(self) -> float:
        """Return the current time, which is the same for all processes that share the state."""
        return time.time()

    def listen(self, channel: str, tell: Callable[[], None], ended: Event) -> None:
        """Call `tell` after each change, until `ended`. Only PostgreSQL notifies of changes."""
        raise NotImplementedError

    def __del__(self) -> None:
        # In case nobody called `close`: Python warns about a file that is left to SQLite to close.
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Provide a connection for reads."""
        with self._lock, self._faults:
            yield self._open()

    @contextmanager
    def writing(self, *, durable: bool = True, lock: str | None = None) -> Iterator[Connection]:  # noqa: ARG002 - SQLite has one lock for all
        """Provide a connection in a transaction. It is committed when the block ends, and rolled back on an error.

        Every commit survives a killed process. A `durable` one also survives a power cut, but waits for the disk.

        No other transaction with the same `lock` runs meanwhile, in any process; without a lock, no other at all. The
        lock names what the transaction reads and writes, so others can write other tables. SQLite has one lock for all.
        """
        with self._lock, self._faults:
            connection = self._open()
            if self._durable != durable:
                connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            with transaction(connection):
                yield connection

    def run_once(self, sql: str, parameters: Sequence[Any], lock: str, *, durable: bool = True) -> Any:
        """Run a SELECT that is itself a transaction with two locks. Return its row. PostgreSQL only."""
        raise NotImplementedError

    def _unusable(self, reason: str) -> StateError:
        return StateError(f"the state in {self.directory} cannot be used: {reason}")

    def _open(self) -> "sqlite3.Connection":
        """Open the file, again if it was moved away: other processes would then write to another file."""
        path = self._file
        if self._connection is not None and _identity(path) != self._opened:
            self.close()
        if self._connection is None:
            self._connection, self._durable = self._connect(path), None
            self._opened = _identity(path)
        return self._connection

    def _connect(self, path: Path) -> "sqlite3.Connection":
        prepare_directory(self.directory)
        if not path.exists():
            _create(path)
        refuse_others(path)
        if not os.access(path, os.W_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
        return _connected(path)


def _create(path: Path) -> None:
    """Create the complete file under another name first: SQLite does not wait for others while it sets up a file."""
    draft = path.with_name(f"{path.name}.{token_hex(4)}")
    try:
        # The file is made private before SQLite writes the first byte; -wal and -shm inherit its mode.
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        _connected(draft).close()
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _connected(path: Path) -> "sqlite3.Connection":
    import sqlite3
    from urllib.parse import quote

    # Only SQLite opens the file: closing it anywhere else would drop all locks that this process holds on it.
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA cache_size={-CACHE}")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare_directory(directory: Path) -> None:
    """Create the directory for its owner alone, or refuse one that others may enter. Raises StateError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_others(directory)


def refuse_others(path: Path) -> None:
    """Raise StateError if anyone but this user has rights on `path`."""
    if os.name != "posix":  # pragma: no cover - elsewhere the mode says nothing
        return
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.geteuid():
        raise StateError(f"{path} belongs to another user: use a directory of your own with --state")
    if mode & 0o077:
        raise StateError(f"{path} is open to other users (mode {mode:o}): run chmod go= {path}")


def stored(text: str, kind: type[T]) -> T:
    """Return the value stored as JSON. Raises StateError if it is not of that kind."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise StateError(f"the state cannot be used: {DAMAGED}") from error
    if not isinstance(value, kind):
        raise StateError(f"the state cannot be used: {DAMAGED}")
    return value


class transaction:  # noqa: N801 - reads as a statement
    """Commits what the block writes if it succeeds; rolls everything back if it fails or the disk is full.

    A class, because each entry of the audit log passes here and a generator would take longer than SQLite.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: "sqlite3.Connection") -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._connection.commit()
                return
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.rollback()


class _Faults:
    """Raises errors of SQLite and the system as the error that `unusable` creates. A class, for the same reason."""

    __slots__ = ("_unusable",)

    def __init__(self, unusable: Callable[[str], StateError]) -> None:
        self._unusable = unusable

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None:
            return
        import sqlite3

        if isinstance(error, sqlite3.Error):
            name = getattr(error, "sqlite_errorname", "")
            hint = next((hint for error_name, hint in HINTS.items() if name.startswith(error_name)), str(error))
            raise self._unusable(hint) from error
        if isinstance(error, OSError):
            raise self._unusable(error.strerror or str(error)) from error


def is_there(path: Path) -> bool:
    """Return whether the file exists. `Path.exists` takes five times as long, and every call asks. Raises OSError."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _migrate(connection: "sqlite3.Connection") -> None:
    """Bring the tables to this version, in one transaction. A newer, unknown version is refused."""
    if _version(connection) == len(MIGRATIONS):
        return
    with transaction(connection):
        version = _version(connection)
        if version > len(MIGRATIONS):
            raise newer(version)
        for number, statements in enumerate(MIGRATIONS[version:], version + 1):
            for statement in statements:
                sql = statement.sqlite if isinstance(statement, Each) else statement
                if sql:
                    connection.execute(sql)
            connection.execute(f"PRAGMA user_version = {number}")


def newer(version: int) -> StateError:
    """Return the error for a state whose tables are newer than this version knows."""
    return StateError(
        f"the state was written by a newer version of mailgun-mcp (version {version} of the tables): update mailgun-mcp"
    )


def _version(connection: "sqlite3.Connection") -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking method of the store in a thread, so that the event loop goes on."""
    from functools import partial

    import anyio.to_thread

    return await anyio.to_thread.run_sync(partial(function, *args, **kwargs))
