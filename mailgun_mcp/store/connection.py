"""A connection to the state as the tables' owners see it: the part that SQLite and PostgreSQL have in common.

SQL is written once for both engines: `?` for values, `ON CONFLICT` instead of `INSERT OR`, no `rowid` or `PRAGMA`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol


class Result(Protocol):
    """What a statement returned. A row is read by name or by number, and `dict(row)` has its names."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""

    @property
    def lastrowid(self) -> int | None:
        """The number of the row that was inserted last, in a table that numbers its rows."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows that are left."""


class Connection(Protocol):
    """Runs statements, inside the transaction of `Store.writing` or without one."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Result:
        """Run a statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Any:
        """Run a statement once for each group of values."""


class Sealer(Protocol):
    """Encrypts what may lie in the database with keys that are not in it."""

    def seal(self, value: bytes, name: str) -> bytes:
        """Return the value encrypted. It opens only under the same name."""

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """Return the value. Raises StateError for one that was changed, or sealed with a key that is not known."""

    def is_current(self, sealed: bytes) -> bool:
        """Return whether the value was sealed with the first key."""
